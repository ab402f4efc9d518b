"""What the actions about voxel bins do: select, play, show large; and the menu of how they look."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from app.state.compare.comparing import VOXEL, Choice
from app.state.spikes.voxel_look import COLOURS, VALUES
from app.state.studio import Studio
from app.ui.window.actions import StudioActions

BIN_MS = 90
"""How long a bin stays while they are played, at a speed of 1."""


def voxel_handlers(
    studio: Studio, actions: StudioActions, player: "BinPlayer"
) -> dict[str, Callable[[], object]]:
    """Return what the actions do to a sequence's voxel bins."""
    return {
        "next_bin": lambda: step_bin(studio, 1),
        "previous_bin": lambda: step_bin(studio, -1),
        "play_bins": lambda: player.play(studio if actions["play_bins"].isChecked() else None),
    }


def step_bin(studio: Studio, bins: int) -> None:
    """Select the bin so many further on, round and round."""
    selected, count = studio.comparison.bin, studio.spikes.bins
    first = 0 if bins > 0 else count - 1
    studio.comparison.select_bin(first if selected is None else (selected + bins) % count)


def show_large(studio: Studio, index: int) -> None:
    """Show a bin in the last pane."""
    comparison = studio.comparison
    comparison.select_bin(index)
    if comparison.wiping or comparison.count == 1:
        comparison.arrange(2)
    comparison.choose(comparison.count - 1, Choice(VOXEL))


class BinPlayer(QObject):
    """Goes through the bins of one sequence, as soon as the one before is on screen."""

    changed = Signal(bool)
    """It plays or not."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio: Studio | None = None
        self._timer = QTimer(self, interval=BIN_MS)
        self._timer.timeout.connect(self._step)

    def play(self, studio: Studio | None) -> None:
        """Play the bins of a sequence; None stops."""
        self._studio = studio
        if studio is None:
            self._timer.stop()
        else:
            self._timer.start()
        self.changed.emit(studio is not None)

    def _step(self) -> None:
        studio = self._studio
        if studio is None or not studio.can_deblur:  # no sequence any more, or none with spikes
            self.play(None)
        elif not studio.pictures.busy:
            self._timer.setInterval(round(BIN_MS / studio.playback.speed))
            step_bin(studio, 1)


def fill_look_menu(menu: QMenu, studio: Studio, actions: StudioActions) -> None:
    """List how the strip can look."""
    look = studio.spikes.look
    values = {
        "counts": QCoreApplication.translate("VoxelStrip", "Counts of spikes"),
        "network": QCoreApplication.translate("VoxelStrip", "As the network takes them"),
    }
    colours = {
        "grey": QCoreApplication.translate("VoxelStrip", "Grey"),
        "viridis": "Viridis",
        "magma": "Magma",
        "inferno": "Inferno",
        "coolwarm": QCoreApplication.translate("VoxelStrip", "Cool to warm"),
    }
    menu.clear()
    group = QActionGroup(menu)
    for value in VALUES:
        action = menu.addAction(values[value])
        action.setCheckable(True)
        action.setChecked(look.values == value)
        action.setActionGroup(group)
        action.triggered.connect(
            lambda _=False, value=value: studio.set_voxel_look(replace(look, values=value))
        )
    menu.addSeparator()
    group = QActionGroup(menu)
    for colour in COLOURS:
        action = menu.addAction(colours[colour])
        action.setCheckable(True)
        action.setChecked(look.colours == colour)
        action.setActionGroup(group)
        action.triggered.connect(
            lambda _=False, colour=colour: studio.set_voxel_look(replace(look, colours=colour))
        )
    menu.addSeparator()
    own = menu.addAction(QCoreApplication.translate("VoxelStrip", "A scale of its own for every bin"))
    own.setCheckable(True)
    own.setChecked(look.own_scale)
    own.triggered.connect(lambda: studio.set_voxel_look(replace(look, own_scale=not look.own_scale)))
    menu.addSeparator()
    for key in ("play_bins", "previous_bin", "next_bin"):
        menu.addAction(actions[key])
