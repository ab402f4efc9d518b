"""The tool bar: open, deblur, export on the left; how to look at pictures on the right."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from app.ui.parts.icons import icon
from app.ui.parts.theme import Theme
from app.ui.window.actions import StudioActions

ICON_PX = 20


class StudioToolBar(QToolBar):
    """Made of the window's actions; Deblur is the one that stands out."""

    def __init__(self, actions: StudioActions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Tools"))
        self.setObjectName("tools")
        self._theme = theme
        self._findings = 0
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.open = self._menu_button(
            self.tr("Open"), actions["open_folder"], actions, ("open_folder", "open")
        )
        self._add(actions["open_sample"], self.tr("Sample"))
        self.addSeparator()
        deblur = ("deblur_visible", "deblur_frame", "deblur_range", "deblur_all", "by_ratio", "by_network")
        self.deblur = self._menu_button(self.tr("Deblur"), actions["deblur_frame"], actions, deblur)
        self.deblur.setProperty("primary", True)
        exports = ("export_frame", "export_all", "export", "save_panes", "copy_panes")
        self.export = self._menu_button(self.tr("Export"), actions["export_frame"], actions, exports)
        self.addSeparator()
        for key in ("fit", "actual_size", "smooth", "voxels"):
            self._add(actions[key])
        spring = QWidget()
        spring.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spring)
        self.notes = self._add(actions["findings"], self.tr("Notes"))
        theme.changed.connect(self._tint)
        self._tint()

    def add_method(self, action: QAction) -> None:
        """List a further method beside those of the program."""
        menu = self.deblur.menu()
        assert menu is not None
        menu.addAction(action)

    def show_findings(self, count: int) -> None:
        """Show how many notes there are on the open sequence."""
        if count != self._findings:
            self._findings = count
            few = {0: self.tr("Notes"), 1: self.tr("1 note")}
            self.notes.defaultAction().setIconText(
                few.get(count, self.tr("{count} notes").format(count=count))
            )
            self._tint_notes()

    def _add(self, action: QAction, text: str = "") -> QToolButton:
        button = QToolButton()
        if text:
            action.setIconText(text)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setDefaultAction(action)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(button)
        return button

    def _menu_button(
        self, text: str, main: QAction, actions: StudioActions, keys: tuple[str, ...]
    ) -> QToolButton:
        """Return a button that triggers `main`, with a menu of the actions `keys` beside it."""
        button = QToolButton()
        button.setText(text)
        button.setToolTip(main.toolTip())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(button)
        for key in keys:
            menu.addAction(actions[key])
        button.setMenu(menu)
        button.clicked.connect(main.trigger)

        def follow() -> None:
            doing = (actions[key] for key in keys if not actions[key].isCheckable())
            button.setEnabled(any(action.isEnabled() for action in doing))

        for key in keys:
            actions[key].changed.connect(follow)
        follow()
        self.addWidget(button)
        return button

    def _tint(self) -> None:
        colours = self._theme.colours
        self.open.setIcon(icon("open", colours.text, colours.border))
        self.deblur.setIcon(icon("deblur", colours.on_accent, colours.muted))
        self.export.setIcon(icon("export", colours.text, colours.border))
        self._tint_notes()

    def _tint_notes(self) -> None:
        colours = self._theme.colours
        colour = colours.warning if self._findings else colours.text
        self.notes.defaultAction().setIcon(icon("information", colour, colours.border))
