"""The panes bound to the state: what each shows, its title, its scores, and the pixel under the mouse."""

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup

from app.display import FloatPicture
from app.state.compare.comparing import (
    BLURRY,
    PATTERN,
    RATIO,
    REFERENCE,
    RESTORED,
    SOURCES,
    TFI,
    TFP,
    VOXEL,
    Choice,
    maker_of,
    result_source,
)
from app.state.compare.pictures import PATTERN_GAIN, VOXEL_VALUES, FrameView
from app.state.compare.results import spikes_of
from app.state.jobs.job import JobState
from app.state.pattern.sensor_pattern import COMPUTING, NO_SPIKES, NOT_CORRECTED, NOT_TOLD
from app.state.studio import Studio
from app.ui.panes.pane import Pane
from app.ui.panes.panes import PaneGrid
from app.ui.parts.theme import Theme
from app.ui.parts.wording import format_seconds, method_title, pattern_facts, unchanged_reason
from app.ui.timeline.plane_scale import format_span
from app.ui.window.actions import StudioActions

if TYPE_CHECKING:
    from engine.metrics import Scores


class PanesView(QObject):
    """Keeps a `PaneGrid` in line with a studio."""

    def __init__(self, studio: Studio, actions: StudioActions, theme: Theme, panes: PaneGrid) -> None:
        super().__init__(panes)
        self._studio = studio
        self._actions = actions
        self._theme = theme
        self._panes = panes
        self._hovered: tuple[int, int] | None = None
        panes.pane_added.connect(self._equip)
        for slot in range(len(panes.panes)):
            self._equip(slot)
        panes.region_drawn.connect(studio.comparison.set_region)
        panes.pane_entered.connect(studio.comparison.set_active)
        panes.pixel_hovered.connect(self._on_hover)
        studio.alignment.changed.connect(self._ask_again)
        studio.comparison.arranged.connect(self.arrange)
        studio.comparison.active_changed.connect(self._show_active)
        studio.comparison.region_changed.connect(self._show_region)
        self.arrange()

    def _equip(self, slot: int) -> None:
        pane = self._panes._all[slot]
        pane.menu.aboutToShow.connect(lambda: self._fill_menu(slot))

    # ------------------------------------------------------------------ state → panes

    def arrange(self) -> None:
        """Show as many panes as are wanted, and in them what is chosen."""
        comparison = self._studio.comparison
        self._panes.arrange(comparison.count)
        for slot, pane in enumerate(self._panes.panes):
            pane.set_wiping(comparison.wiping and slot == 0)
        self._show_active()
        self.show_pictures()

    def show_pictures(self) -> None:
        """Show the frame there is now."""
        view, comparison = self._studio.pictures.view, self._studio.comparison
        shown = comparison.shown
        for pane, choice in zip(self._panes.panes, shown, strict=False):
            _show(pane, view, choice)
        if comparison.wiping:
            picture = None if view is None else view.picture(shown[1])
            self._panes.first.show_other(picture, None if view is None else view.size)
        self.show_titles()
        self.show_scores()
        self.show_hints()
        if (
            self._hovered is not None and self._panes.isVisible()
        ):  # the mouse rests, the frame under it is another
            self._panes.pixel_hovered.emit(self._hovered)
        else:
            self._show_readouts()

    def show_titles(self) -> None:
        """Say above every pane what it shows."""
        shown = self._studio.comparison.shown
        titles = [self._title(choice) for choice in shown]
        if self._studio.comparison.wiping:
            titles = ["  |  ".join(titles)]
        for pane, title, choice in zip(self._panes.panes, titles, shown, strict=False):
            pane.title.setText(title)
            pane.title.setToolTip(title + self._legend(choice))

    def say_loading(self) -> None:
        """Say that a frame takes its time."""
        index = self._studio.position.index + 1
        self._panes.first.title.setText(self.tr("Reading frame {index} …").format(index=index))

    def show_scores(self) -> None:
        scores, view = self._studio.metrics.scores, self._studio.pictures.view
        known = scores if scores is not None and view is not None and scores.index == view.index else None
        region = known is not None and known.region is not None
        for pane, choice in zip(self._panes.panes, self._studio.comparison.shown, strict=False):
            own = None if known is None or choice.minus else known.by_source.get(choice.source)
            if choice.source == RESTORED and (view is None or view.result is None):
                own = None
            before = None if known is None or choice.source == BLURRY else known.blurry
            if self._studio.comparison.wiping:
                own = before = None
            self._score(pane, own, before, in_region=region)

    def show_hints(self) -> None:
        """Say in an empty pane why it is empty, and what can be done."""
        if self._studio.session.sequence is None:
            return
        for pane, choice in zip(self._panes.panes, self._studio.comparison.shown, strict=False):
            pane.hint.say(*self._hint(choice))

    def _show_active(self) -> None:
        active, several = self._studio.comparison.active, len(self._panes.panes) > 1
        for slot, pane in enumerate(self._panes.panes):
            pane.set_active(several and slot == active)

    def _show_region(self) -> None:
        self._panes.show_region(self._studio.comparison.region)

    def _on_hover(self, pixel: tuple[int, int] | None) -> None:
        self._hovered = pixel
        lease, index = self._studio.session.lease, self._studio.position.index
        self._studio.probe.ask(lease, index, pixel)
        self._studio.rasters.ask(lease, index, pixel)
        self._show_readouts()

    def _ask_again(self) -> None:
        """The window was moved: the pixel under the mouse fired otherwise in it."""
        if self._hovered is not None:
            studio = self._studio
            studio.probe.ask(studio.session.lease, studio.position.index, self._hovered)

    def _show_readouts(self) -> None:
        sequence, view = self._studio.session.sequence, self._studio.pictures.view
        bits = 8 if sequence is None else sequence.bit_depth
        for pane, choice in zip(self._panes.panes, self._studio.comparison.shown, strict=False):
            known = view is not None and self._hovered is not None
            if choice == Choice(PATTERN):
                wiping = self._studio.comparison.wiping
                pane.show_readout("" if wiping else self._about_pattern(view, self._hovered))
                continue
            pane.show_readout(_values(view, choice, self._hovered, bits) if known else "")

    # ------------------------------------------------------------------ words

    def source_name(self, source: str) -> str:
        """Return what a source is called."""
        sequence = self._studio.session.sequence
        virtual = sequence is not None and sequence.is_virtual
        maker = maker_of(source)
        if maker is not None:
            return self.tr("Restored by {maker}").format(maker=method_title(maker))
        return {
            BLURRY: self.tr("Blurry (mean of the spikes)") if virtual else self.tr("Blurry"),
            RESTORED: self.tr("Restored"),
            REFERENCE: self.tr("Reference"),
            TFP: self.tr("Spikes: mean of the exposure (TFP)"),
            TFI: self.tr("Spikes: intervals at its centre (TFI)"),
            RATIO: self.tr("Spike ratio, live"),
            VOXEL: self._bin_name(),
            PATTERN: self.tr("Sensor pattern"),
        }[source]

    def _bin_name(self) -> str:
        selected, voxels = self._studio.comparison.bin, self._studio.spikes.voxels
        if selected is None or voxels is None or selected >= len(voxels.spans):
            return self.tr("Voxel bin")
        return self.tr("Voxel bin {number} of {count} · {span}").format(
            number=selected + 1,
            count=len(voxels.spans),
            span=format_span(*voxels.spans[selected], self._studio.alignment.rate_hz),
        )

    def _about_pattern(self, view: FrameView | None, pixel: tuple[int, int] | None) -> str:
        """Return the gain of the pixel (x, y) under the mouse, else what the whole pattern is."""
        pattern = self._studio.sensor.pattern
        values = None if view is None else view.values(PATTERN_GAIN)
        if view is None or values is None or pattern is None:
            return ""
        found = None if pixel is None else _pixel(view, values, pixel)
        if found is None:
            return pattern_facts(pattern)
        if math.isnan(found[0]):
            return self.tr("gain not known")
        return self.tr("gain {gain}").format(gain=f"{found[0]:.3f} ({100 * (found[0] - 1):+.1f} %)")

    def _legend(self, choice: Choice) -> str:
        """Return what the greys of the sensor's pattern stand for, on a line of its own."""
        picture = self._studio.sensor.picture
        if choice.source != PATTERN or picture is None:
            return ""
        return "\n" + self.tr(
            "Grey fires as its neighbours do, white {percent} % more, black as much less; stripes: not known"
        ).format(percent=f"{100 * picture.scale:.1f}")

    def _title(self, choice: Choice) -> str:
        if choice.minus:
            gain = self._studio.comparison.gain
            return f"{self.source_name(choice.source)} − {self.source_name(choice.minus)} · × {gain:g}"
        return self._restored_title() if choice.source == RESTORED else self.source_name(choice.source)

    def _restored_title(self) -> str:
        sequence, view = self._studio.session.sequence, self._studio.pictures.view
        title = self.tr("Restored")
        if view is not None and view.result is not None and sequence is not None:
            result = view.result
            if result.unchanged:
                title = self.tr("Unchanged: {reason}").format(reason=unchanged_reason(result.unchanged))
            source = self._studio.session.source
            if source is not None and result.spikes not in (None, spikes_of(source)):
                title += self.tr(" · stale: spikes are read or corrected otherwise")
            elif result.gamma == sequence.gamma and self._studio.is_stale(view.index):
                title += self.tr(" · stale: window moved")
            method = method_title(result.made_by)
            title += f" · {method} · γ {result.gamma:g} · {format_seconds(result.seconds)}"
            if result.gamma != sequence.gamma:
                title += self.tr(" (not γ {gamma})").format(gamma=f"{sequence.gamma:g}")
        elif view is not None and view.is_partial:
            running = self._studio.jobs.is_running
            title += self.tr(" · unfinished") if running else self.tr(" · in part")
        return title

    def _hint(self, choice: Choice) -> tuple:
        """Return the text of an empty pane and the action that helps."""
        studio, actions = self._studio, self._actions
        sequence, view = studio.session.sequence, studio.pictures.view
        if choice == Choice(BLURRY):
            return (studio.pictures.problem,)
        if view is None or sequence is None or view.picture(choice) is not None:
            return ("",)
        for source in choice.sources:
            why = view.missing.get(source, "")
            if why == COMPUTING:
                return (self.tr("Being computed …"),)
            if why == "reference":
                return (self.tr("There is no sharp reference."), actions["add_reference"])
            if source == PATTERN and why:
                return self._no_pattern(why)
            if why == "spikes" or (source == RESTORED and sequence.recording is None):
                return (
                    self.tr("Deblurring needs the recording of the spike camera."),
                    actions["add_spikes"],
                )
            if why:
                return (why,)
            if source == REFERENCE and source not in view.others:
                return (self.tr("This frame has no reference."),)
        if studio.jobs.is_running and studio.jobs.status is not None:
            if view.index not in studio.jobs.status.frames:
                return (self.tr("Not deblurred yet"),)
            if studio.jobs.status.state is JobState.PAUSED:
                return (self.tr("Paused: the queue goes on with it when you resume it."),)
            return (self.tr("Being deblurred …"),)
        return (self.tr("Not deblurred yet"), actions["deblur_frame"])

    def _no_pattern(self, why: str) -> tuple:
        """Return why there is no pattern of the sensor, and the action that helps."""
        if why == NO_SPIKES:
            return (
                self.tr("Only the recording of a spike camera has a sensor's pattern."),
                self._actions["add_spikes"],
            )
        known = {
            NOT_CORRECTED: self.tr("The sensor's pattern is not corrected, as was said."),
            NOT_TOLD: self.tr(
                "Nothing is known of the sensor's pattern, and nothing is corrected: "
                "too little moves over its pixels to tell it from the scene."
            ),
        }
        return (known.get(why, why), self._actions["reading"])

    def _score(
        self, pane: Pane, scores: "Scores | None", before: "Scores | None", *, in_region: bool
    ) -> None:
        """Show PSNR and SSIM in a pane's header, and the gain over `before`."""
        if scores is None:
            pane.score.setText("")
            return
        text = (self.tr("region: ") if in_region else "") + f"{scores.psnr:.2f} dB"
        if before is not None and math.isfinite(scores.psnr) and math.isfinite(before.psnr):
            gain = scores.psnr - before.psnr
            colour = self._theme.colours.restored if gain >= 0 else self._theme.colours.error
            text += f" <span style='color:{colour}'>({gain:+.2f})</span>"
        if not math.isnan(scores.ssim):
            text += f" · SSIM {scores.ssim:.3f}"
        pane.score.setText(text)
        tip = self.tr(
            "PSNR and SSIM against the reference: RGB, 8-bit values, Gaussian window of 11 × 11, σ 1.5"
        )
        if in_region:
            tip += "\n" + self.tr("Inside the framed region; Shift and a click take the frame away")
        if scores.gain_matched:
            tip += "\n" + self.tr(
                "Brightness is matched first: pictures of spikes alone have none of their own"
            )
        pane.score.setToolTip(tip)

    # ------------------------------------------------------------------ menu of a pane

    def _fill_menu(self, slot: int) -> None:
        """List what this pane can show."""
        comparison, menu = self._studio.comparison, self._panes._all[slot].menu
        comparison.set_active(slot)
        choice = comparison.choice(slot)
        menu.clear()
        sources = (*SOURCES, *map(result_source, self._studio.results.makers))
        group = QActionGroup(menu)
        for source in sources:
            own = self._actions[f"show_{source}"].shortcut().toString() if source in SOURCES else ""
            action = menu.addAction(self.source_name(source) + (f"\t{own}" if own else ""))
            action.setCheckable(True)
            action.setActionGroup(group)
            action.setChecked(choice.source == source)
            action.triggered.connect(
                lambda _=False, source=source: comparison.choose(slot, Choice(source, choice.minus))
            )
        menu.addSeparator()
        if choice.source == PATTERN:
            for key in ("use_pattern", "keep_pattern", "reading"):
                menu.addAction(self._actions[key])
            return
        difference = menu.addMenu(self.tr("Difference from"))
        none = difference.addAction(self.tr("Nothing: the picture itself"))
        none.setCheckable(True)
        none.setChecked(not choice.minus)
        none.triggered.connect(lambda: comparison.choose(slot, Choice(choice.source)))
        for source in sources:
            if source not in (choice.source, PATTERN):
                action = difference.addAction(self.source_name(source))
                action.setCheckable(True)
                action.setChecked(choice.minus == source)
                action.triggered.connect(
                    lambda _=False, source=source: comparison.choose(slot, Choice(choice.source, source))
                )


def _show(pane: Pane, view: FrameView | None, choice: Choice) -> None:
    pane.show_picture(None if view is None else view.picture(choice), None if view is None else view.size)


def _values(view: FrameView | None, choice: Choice, pixel: tuple[int, int] | None, bit_depth: int) -> str:
    """Return the values of one pixel (x, y) in what a pane shows, in steps of the input's bit depth.

    In a voxel bin they are spikes, or what the network takes.
    """
    if view is None or pixel is None:
        return ""
    found = []
    for source in choice.sources:
        values = view.values(VOXEL_VALUES if choice == Choice(VOXEL) else source)
        if values is None:
            return ""
        at = _pixel(view, values, pixel)
        if at is None:
            return ""
        found.append(at)
    if choice == Choice(VOXEL):
        return f"{found[0][0]:.4g}"
    top = 2**bit_depth - 1
    steps = [np.floor(np.clip(np.nan_to_num(one), 0, 1) * top + 0.5).astype(int) for one in found]
    if len(steps) == 2:
        return " ".join(f"{one - other:+d}" for one, other in zip(*steps, strict=True))
    return " ".join(f"{one:d}" for one in steps[0])


def _pixel(view: FrameView, values: FloatPicture, pixel: tuple[int, int]) -> np.ndarray | None:
    """Return what a picture of any size holds where the frame has its pixel (x, y)."""
    height, width = values.shape[:2]
    x = int((pixel[0] + 0.5) * width / view.size.width)
    y = int((pixel[1] + 0.5) * height / view.size.height)
    return values[y, x] if 0 <= x < width and 0 <= y < height else None
