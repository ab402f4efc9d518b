"""The table of all actions: names, menus, shortcuts, tips, icons. What each does stands in the commands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ActionSpec:
    """One action. `menu` is the path of menus it stands in, `section` a separator before it."""

    key: str
    text: str
    menu: str
    shortcut: str
    tip: str
    icon: str = ""
    checkable: bool = False
    group: str = ""
    section: bool = False


ACTIONS = (
    ActionSpec("open", "Open…", "File", "Ctrl+O", "Open a video, a picture or a spike recording", "file"),
    ActionSpec(
        "open_folder", "Open folder…", "File", "Ctrl+Shift+O", "Open a folder of frames and spikes", "open"
    ),
    ActionSpec(
        "open_recording",
        "Open recording…",
        "File",
        "Ctrl+Alt+O",
        "Open a spike recording, and choose its size among pictures of it",
        "recording",
    ),
    ActionSpec(
        "open_sample",
        "Open sample",
        "File",
        "Ctrl+T",
        "Open the sequence that comes with the studio",
        "sample",
    ),
    ActionSpec(
        "add_spikes",
        "Add spikes…",
        "File",
        "Ctrl+Shift+K",
        "Use a spike recording with the open frames",
        "spikes",
        section=True,
    ),
    ActionSpec(
        "add_reference", "Add reference…", "File", "Ctrl+Shift+R", "Compare with a folder of sharp pictures"
    ),
    ActionSpec(
        "add_alignment",
        "Add alignment log…",
        "File",
        "Ctrl+Shift+A",
        "Read from a CSV file when each frame was exposed",
    ),
    ActionSpec(
        "recording",
        "Recording settings…",
        "File",
        "Ctrl+R",
        "Say the recording's height, width, rate and exposure",
    ),
    ActionSpec(
        "reading",
        "Units, white level and sensor's pattern…",
        "File",
        "Ctrl+Shift+U",
        "Say what times in logs and event lists count, which sample of the frames is white, "
        "and what the sensor's pattern is known by",
    ),
    ActionSpec(
        "use_pattern",
        "Use for this sensor from now on",
        "File",
        "Ctrl+Alt+K",
        "Keep the sensor's pattern for all its recordings that tell less of it",
    ),
    ActionSpec(
        "keep_pattern",
        "Keep this sensor's pattern…",
        "File",
        "Ctrl+K",
        "Save the sensor's pattern as a file, which other recordings can be corrected by",
    ),
    ActionSpec(
        "export_frame",
        "Export frame…",
        "File",
        "Ctrl+E",
        "Write the restored frame as PNG or TIFF, 8 or 16 bit",
        "export",
        section=True,
    ),
    ActionSpec(
        "export",
        "Export…",
        "File",
        "Ctrl+Shift+X",
        "Export pictures under names of your choice, scores as a table, or a comparison video",
        "export",
    ),
    ActionSpec(
        "save_panes",
        "Save picture of panes…",
        "File",
        "Ctrl+Alt+S",
        "Save the panes as a picture, just as they are shown",
    ),
    ActionSpec(
        "copy_panes",
        "Copy picture of panes",
        "File",
        "Ctrl+Alt+V",
        "Take the panes to the clipboard, just as they are shown",
    ),
    ActionSpec(
        "export_all",
        "Export all restored frames…",
        "File",
        "Ctrl+Shift+E",
        "Write every restored frame into a folder, named as the input frames",
    ),
    ActionSpec(
        "reopen_session",
        "Reopen last session",
        "File",
        "Ctrl+Shift+T",
        "Open again what was open when the studio ended",
        section=True,
    ),
    ActionSpec(
        "restore_session",
        "Begin with last session",
        "File",
        "Ctrl+Alt+B",
        "Open at every start what was open before; else the sample",
        checkable=True,
    ),
    ActionSpec("close", "Close sequence", "File", "Ctrl+W", "Close the open sequence", section=True),
    ActionSpec("quit", "Quit", "File", "Ctrl+Q", "Close the window and end the worker"),
    ActionSpec("undo", "Undo", "Edit", "Ctrl+Z", "Take the last change of the alignment back", "undo"),
    ActionSpec("redo", "Redo", "Edit", "Ctrl+Shift+Z", "Make the change again", "redo"),
    ActionSpec("previous", "Previous frame", "Frame", "Left", "Go one frame back", "previous", section=True),
    ActionSpec("next", "Next frame", "Frame", "Right", "Go one frame on", "next"),
    ActionSpec("first", "First frame", "Frame", "Home", "Go to the first frame", "first"),
    ActionSpec("last", "Last frame", "Frame", "End", "Go to the last frame", "last"),
    ActionSpec("back", "10 frames back", "Frame", "PgUp", "Go ten frames back"),
    ActionSpec("forward", "10 frames on", "Frame", "PgDown", "Go ten frames on"),
    ActionSpec("play", "Play", "Frame", "Space", "Play from here, or stop", "play"),
    ActionSpec(
        "play_loop",
        "Play round and round",
        "Frame",
        "L",
        "Begin again at the end of the range",
        checkable=True,
    ),
    ActionSpec(
        "play_every_frame",
        "Play every frame",
        "Frame",
        "Shift+L",
        "Leave out no frame, however long that takes",
        checkable=True,
    ),
    ActionSpec("faster", "Play faster", "Frame", "Shift+Right", "Play at the next speed"),
    ActionSpec("slower", "Play slower", "Frame", "Shift+Left", "Play at the speed before"),
    ActionSpec(
        "set_in",
        "Begin range here",
        "Frame",
        "I",
        "The range to deblur begins with this frame",
        "in",
        section=True,
    ),
    ActionSpec("set_out", "End range here", "Frame", "O", "The range to deblur ends with this frame", "out"),
    ActionSpec("clear_range", "Clear range", "Frame", "Shift+I", "The range is the whole sequence again"),
    ActionSpec("earlier", "Window 1 plane earlier", "Alignment", "Alt+Left", "Move the frame's exposure"),
    ActionSpec("later", "Window 1 plane later", "Alignment", "Alt+Right", "Move the frame's exposure"),
    ActionSpec(
        "earlier_10", "Window 10 planes earlier", "Alignment", "Alt+Shift+Left", "Move the frame's exposure"
    ),
    ActionSpec(
        "later_10", "Window 10 planes later", "Alignment", "Alt+Shift+Right", "Move the frame's exposure"
    ),
    ActionSpec(
        "start_earlier",
        "Start 1 plane earlier",
        "Alignment",
        "Alt+[",
        "Lengthen the frame's exposure at its start",
        section=True,
    ),
    ActionSpec("start_later", "Start 1 plane later", "Alignment", "Alt+]", "Shorten it at its start"),
    ActionSpec("start_earlier_10", "Start 10 planes earlier", "Alignment", "Alt+Shift+[", "Lengthen it"),
    ActionSpec("start_later_10", "Start 10 planes later", "Alignment", "Alt+Shift+]", "Shorten it"),
    ActionSpec("stop_earlier", "Stop 1 plane earlier", "Alignment", "Ctrl+[", "Shorten it at its end"),
    ActionSpec("stop_later", "Stop 1 plane later", "Alignment", "Ctrl+]", "Lengthen it at its end"),
    ActionSpec("stop_earlier_10", "Stop 10 planes earlier", "Alignment", "Ctrl+Shift+[", "Shorten it"),
    ActionSpec("stop_later_10", "Stop 10 planes later", "Alignment", "Ctrl+Shift+]", "Lengthen it"),
    ActionSpec(
        "snap",
        "Snap",
        "Alignment",
        "Shift+S",
        "Let dragged windows snap to whole planes and neighbours; with Alt they do the contrary",
        checkable=True,
        section=True,
    ),
    ActionSpec(
        "reset_windows",
        "Windows as in the files",
        "Alignment",
        "Ctrl+Alt+Z",
        "Take all edits back, as one step that can be undone",
        section=True,
    ),
    ActionSpec(
        "import_log", "Import log…", "Alignment", "Ctrl+Alt+I", "Use the windows of an alignment log (CSV)"
    ),
    ActionSpec(
        "export_log", "Export log…", "Alignment", "Ctrl+Alt+E", "Write the windows as an alignment log (CSV)"
    ),
    ActionSpec(
        "deblur_visible",
        "Deblur what is visible",
        "Deblur",
        "R",
        "Restore the part of the current frame that is in sight, first what is nearest to the cursor",
    ),
    ActionSpec("deblur_frame", "Deblur frame", "Deblur", "D", "Restore the current frame", "deblur"),
    ActionSpec(
        "deblur_range", "Deblur range", "Deblur", "Shift+D", "Restore the frames between the range's ends"
    ),
    ActionSpec("deblur_all", "Deblur all", "Deblur", "Ctrl+D", "Restore every frame of the sequence"),
    ActionSpec(
        "cancel", "Cancel", "Deblur", "Esc", "Stop the restoration within a tile", "cancel", section=True
    ),
    ActionSpec(
        "pause_job",
        "Pause or resume job",
        "Deblur",
        "Ctrl+P",
        "Let the chosen job wait, or go on with it; what it has finished stays",
        "pause",
    ),
    ActionSpec(
        "cancel_job",
        "Cancel job",
        "Deblur",
        "Ctrl+Backspace",
        "Stop the chosen job within a tile; one that is over leaves the list",
        "close",
    ),
    ActionSpec(
        "retry_job",
        "Try job again",
        "Deblur",
        "Ctrl+Shift+J",
        "Do what a failed or cancelled job lacks",
        "retry",
    ),
    ActionSpec("job_up", "Earlier turn", "Deblur", "Ctrl+Alt+Up", "Move the chosen job forward", "up"),
    ActionSpec("job_down", "Later turn", "Deblur", "Ctrl+Alt+Down", "Move the chosen job back", "down"),
    ActionSpec(
        "clear_jobs", "Clear ended jobs", "Deblur", "Ctrl+Shift+Backspace", "Take them off the list", "sweep"
    ),
    ActionSpec(
        "by_ratio",
        "By the spike ratio",
        "Deblur",
        "Ctrl+Alt+R",
        "Restore in an instant, from each frame and its spikes alone",
        checkable=True,
        group="method",
        section=True,
    ),
    ActionSpec(
        "by_network",
        "By the network",
        "Deblur",
        "Ctrl+Alt+N",
        "Restore better and slower, with the network that is chosen in the deblurring panel",
        checkable=True,
        group="method",
    ),
    ActionSpec(
        "code_values",
        "Spikes integrate code values",
        "Deblur",
        "Ctrl+Alt+C",
        "Gamma 1: the spikes were made from the frames' 8-bit values, as in most synthetic sets",
        checkable=True,
        group="gamma",
        section=True,
    ),
    ActionSpec(
        "linear_light",
        "Spikes integrate linear light",
        "Deblur",
        "Ctrl+Alt+L",
        "Gamma 2.2: a real sensor, beside frames of an ordinary camera",
        checkable=True,
        group="gamma",
    ),
    ActionSpec(
        "data_set_panel",
        "Data set panel",
        "View",
        "F6",
        "Show or hide the sequences of the folder that was opened last",
        "data_set",
        checkable=True,
        section=True,
    ),
    ActionSpec("reload_data_set", "Read data set again", "View", "F5", "List the folder's sequences again"),
    ActionSpec(
        "queue_panel",
        "Queue panel",
        "View",
        "F7",
        "Show or hide the jobs that run, wait and are over",
        "queue",
        checkable=True,
    ),
    ActionSpec(
        "alignment_panel",
        "Alignment panel",
        "View",
        "F8",
        "Show or hide the window of the current frame in numbers, and what the spikes saw in it",
        "alignment",
        checkable=True,
    ),
    ActionSpec(
        "restore_panel",
        "Deblurring panel",
        "View",
        "F9",
        "Show or hide with what is deblurred: network, device, precision, tiles",
        "deblur",
        checkable=True,
    ),
    ActionSpec("next_tab", "Next tab", "View", "Ctrl+Tab", "Show the next open sequence"),
    ActionSpec("previous_tab", "Previous tab", "View", "Ctrl+Shift+Tab", "Show the open sequence before"),
    ActionSpec(
        "panes_1", "One pane", "Compare", "Alt+1", "Show one picture", checkable=True, group="arrangement"
    ),
    ActionSpec(
        "panes_2",
        "Two panes",
        "Compare",
        "Alt+2",
        "Show two pictures side by side",
        checkable=True,
        group="arrangement",
    ),
    ActionSpec(
        "panes_3",
        "Three panes",
        "Compare",
        "Alt+3",
        "Show three pictures side by side",
        checkable=True,
        group="arrangement",
    ),
    ActionSpec(
        "panes_4",
        "Four panes",
        "Compare",
        "Alt+4",
        "Show four pictures in two rows",
        checkable=True,
        group="arrangement",
    ),
    ActionSpec(
        "wipe",
        "Wipe",
        "Compare",
        "W",
        "Show the first two pictures in one pane, parted by a line that can be dragged",
        checkable=True,
        group="arrangement",
    ),
    ActionSpec(
        "flip",
        "Flip while held",
        "Compare",
        "X",
        "Let every pane show what its neighbour shows, as long as the key is held",
        section=True,
    ),
    ActionSpec(
        "blink", "Blink", "Compare", "B", "Flip the panes forth and back, twice a second", checkable=True
    ),
    ActionSpec(
        "show_blurry",
        "Show blurry",
        "Compare",
        "1",
        "Show the blurry frame in the pane under the mouse",
        section=True,
    ),
    ActionSpec(
        "show_restored", "Show restored", "Compare", "2", "Show the newest result in the pane under the mouse"
    ),
    ActionSpec(
        "show_reference",
        "Show reference",
        "Compare",
        "3",
        "Show the sharp reference in the pane under the mouse",
    ),
    ActionSpec(
        "show_tfp",
        "Show mean of the spikes (TFP)",
        "Compare",
        "4",
        "Show what the spikes saw during the exposure in the pane under the mouse",
    ),
    ActionSpec(
        "show_tfi",
        "Show intervals of the spikes (TFI)",
        "Compare",
        "5",
        "Show what the spikes saw at the centre of the exposure in the pane under the mouse",
    ),
    ActionSpec(
        "show_ratio",
        "Show spike ratio, live",
        "Compare",
        "6",
        "Compute the spike ratio of every frame that is looked at, in the pane under the mouse",
    ),
    ActionSpec(
        "show_voxel",
        "Show voxel bin",
        "Compare",
        "0",
        "Show the selected voxel bin in the pane under the mouse",
    ),
    ActionSpec(
        "show_pattern",
        "Show sensor pattern",
        "Compare",
        "P",
        "Show which pixels of the spike camera fire more or less than others, in the pane under the mouse",
    ),
    ActionSpec(
        "next_result",
        "Show next result",
        "Compare",
        "7",
        "Go round the results by their method",
    ),
    ActionSpec(
        "minus_reference",
        "Difference from reference",
        "Compare",
        "8",
        "Show by how much the picture differs from the reference, and back",
    ),
    ActionSpec(
        "minus_blurry",
        "Difference from blurry",
        "Compare",
        "9",
        "Show by how much the picture differs from the blurry frame, and back",
    ),
    ActionSpec(
        "clear_region",
        "Measure whole picture",
        "Compare",
        "Shift+R",
        "Take away the region that was drawn with Shift and the mouse",
        section=True,
    ),
    ActionSpec(
        "auto_contrast",
        "Stretch contrast",
        "Compare",
        "C",
        "Spread the values of the pane under the mouse over black to white; kept for all frames",
    ),
    ActionSpec("reset_contrast", "Contrast as in the files", "Compare", "Shift+C", "Show values as they are"),
    ActionSpec(
        "picture_panel",
        "Picture panel",
        "Compare",
        "F12",
        "Show histogram, contrast, gamma and magnifier",
        checkable=True,
        section=True,
    ),
    ActionSpec("fit", "Show whole picture", "View", "F", "Show the whole picture in both panes", "fit"),
    ActionSpec(
        "actual_size",
        "Actual size",
        "View",
        "Ctrl+1",
        "Show every pixel as one pixel of the screen",
        "actual",
    ),
    ActionSpec("zoom_in", "Zoom in", "View", "Ctrl++", "Show the pictures larger"),
    ActionSpec("zoom_out", "Zoom out", "View", "Ctrl+-", "Show the pictures smaller"),
    ActionSpec(
        "smooth",
        "Smooth pixels",
        "View",
        "S",
        "Interpolate between pixels, or show each as a square",
        "smooth",
        checkable=True,
        section=True,
    ),
    ActionSpec(
        "voxels",
        "Voxel bins",
        "View",
        "V",
        "Show the voxel bins of the current frame",
        "voxels",
        checkable=True,
    ),
    ActionSpec("previous_bin", "Previous voxel bin", "View", ",", "Select the voxel bin before, and mark it"),
    ActionSpec("next_bin", "Next voxel bin", "View", ".", "Select the next voxel bin, and mark it"),
    ActionSpec(
        "play_bins",
        "Play voxel bins",
        "View",
        "Shift+V",
        "Go through the voxel bins of this frame, round and round",
        checkable=True,
    ),
    ActionSpec(
        "raster_panel",
        "Raster panel",
        "View",
        "F11",
        "Show when the pixels under the mouse fired, and the intervals between their spikes",
        checkable=True,
    ),
    ActionSpec(
        "findings", "Notes on this sequence", "View", "N", "Show what is odd about the files", "information"
    ),
    ActionSpec(
        "theme_system",
        "Theme of the system",
        "View",
        "Ctrl+Shift+1",
        "Be light or dark as the desktop is",
        checkable=True,
        group="theme",
        section=True,
    ),
    ActionSpec(
        "theme_light", "Light theme", "View", "Ctrl+Shift+2", "Always light", checkable=True, group="theme"
    ),
    ActionSpec(
        "theme_dark", "Dark theme", "View", "Ctrl+Shift+3", "Always dark", checkable=True, group="theme"
    ),
    ActionSpec(
        "language_system",
        "Language of the system",
        "View",
        "Ctrl+Shift+4",
        "Use the desktop's language, from the next start on",
        checkable=True,
        group="language",
        section=True,
    ),
    ActionSpec(
        "language_en",
        "English",
        "View",
        "Ctrl+Shift+5",
        "Use English, from the next start on",
        checkable=True,
        group="language",
    ),
    ActionSpec(
        "language_zh_CN",
        "简体中文",
        "View",
        "Ctrl+Shift+6",
        "Use Chinese, from the next start on",
        checkable=True,
        group="language",
    ),
    ActionSpec("help", "Help", "Help", "F1", "Open the page that fits what has the keyboard", "information"),
    ActionSpec(
        "palette", "Find a command…", "Help", "Ctrl+Shift+P", "Find every command by its name, and do it"
    ),
    ActionSpec(
        "shortcuts", "Keyboard shortcuts…", "Help", "Ctrl+F1", "Look up and change shortcuts", "keyboard"
    ),
    ActionSpec(
        "log", "Show log", "Help", "Ctrl+Shift+L", "Open the file with the details of what went wrong"
    ),
    ActionSpec("about", "About Spike Deblur Studio", "Help", "Shift+F1", "Version, licence and libraries"),
)
"""In the order of the menus."""

MENUS = ("File", "Edit", "Frame", "Alignment", "Deblur", "Compare", "View", "Help")
