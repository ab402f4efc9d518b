"""Colours of the window, dark and light, and how they reach Qt's palette and style sheet."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication


@dataclass(frozen=True)
class Colours:
    """Every colour the studio paints with, as #rrggbb."""

    window: str
    panel: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_hover: str
    canvas: str
    """Behind pictures: neutral, so that it does not tint the eye."""
    rate: str
    """The spike-rate curve."""
    bar: str
    """An alignment window."""
    current: str
    """The current frame's alignment window and the playhead."""
    restored: str
    """A frame that has a result."""
    stale: str
    error: str
    warning: str
    information: str


DARK = Colours(
    window="#17191d",
    panel="#1f2227",
    raised="#2b2f36",
    border="#3a3f48",
    text="#eceef1",
    muted="#a3acb8",
    accent="#3b82f6",
    on_accent="#ffffff",
    accent_hover="#5b99fa",
    canvas="#101010",
    rate="#62b5e5",
    bar="#566374",
    current="#ffb347",
    restored="#4ccb8f",
    stale="#c9a227",
    error="#ff6b6b",
    warning="#ffc145",
    information="#62b5e5",
)

LIGHT = Colours(
    window="#f3f4f6",
    panel="#ffffff",
    raised="#ffffff",
    border="#cfd4dc",
    text="#1b1f24",
    muted="#535d69",
    accent="#1d63d8",
    on_accent="#ffffff",
    accent_hover="#3577e6",
    canvas="#d8d8d8",
    rate="#1878b4",
    bar="#9aa7b8",
    current="#d97706",
    restored="#138a52",
    stale="#97700b",
    error="#c62828",
    warning="#a66300",
    information="#1878b4",
)

SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


class Theme(QObject):
    """The colours in force; follows the system where the user chose so."""

    changed = Signal()

    def __init__(self, choice: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choice = choice
        self.colours = DARK
        self._applied: Colours | None = None
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self.choose(choice)

    def choose(self, choice: str) -> None:
        """Follow the system, or be light or dark whatever it says."""
        self.choice = choice
        QGuiApplication.styleHints().setColorScheme(SCHEMES[choice])
        self._apply()

    def _apply(self) -> None:
        scheme = QGuiApplication.styleHints().colorScheme()
        if self.choice != "system":
            scheme = SCHEMES[self.choice]
        colours = LIGHT if scheme == Qt.ColorScheme.Light else DARK
        if colours is self._applied:
            return
        self.colours = self._applied = colours
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(palette(self.colours))
        application.setStyleSheet(style_sheet(self.colours))
        self.changed.emit()


def palette(colours: Colours) -> QPalette:
    """Return Qt's palette of these colours; disabled text keeps half of its contrast."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: colours.window,
        QPalette.ColorRole.WindowText: colours.text,
        QPalette.ColorRole.Base: colours.panel,
        QPalette.ColorRole.AlternateBase: colours.raised,
        QPalette.ColorRole.Text: colours.text,
        QPalette.ColorRole.Button: colours.raised,
        QPalette.ColorRole.ButtonText: colours.text,
        QPalette.ColorRole.BrightText: colours.error,
        QPalette.ColorRole.Highlight: colours.accent,
        QPalette.ColorRole.HighlightedText: colours.on_accent,
        QPalette.ColorRole.ToolTipBase: colours.raised,
        QPalette.ColorRole.ToolTipText: colours.text,
        QPalette.ColorRole.PlaceholderText: colours.muted,
        QPalette.ColorRole.Link: colours.accent,
        QPalette.ColorRole.Mid: colours.border,
        QPalette.ColorRole.Accent: colours.accent,
    }
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    faded = mixed(colours.text, colours.window, 0.55)
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, faded)
    return result


def mixed(one: str, other: str, share: float) -> QColor:
    """Return the colour `share` of the way from `one` to `other`."""
    a, b = QColor(one), QColor(other)
    return QColor.fromRgbF(
        a.redF() + (b.redF() - a.redF()) * share,
        a.greenF() + (b.greenF() - a.greenF()) * share,
        a.blueF() + (b.blueF() - a.blueF()) * share,
    )


def faded(colour: str, alpha: float) -> QColor:
    """Return a colour with an opacity in [0, 1]."""
    result = QColor(colour)
    result.setAlphaF(alpha)
    return result


def style_sheet(colours: Colours) -> str:
    """Return the style sheet that the palette alone cannot say."""
    hover = mixed(colours.raised, colours.text, 0.08).name()
    pressed = mixed(colours.raised, colours.text, 0.16).name()
    disabled = mixed(colours.text, colours.window, 0.55).name()
    accent_disabled = mixed(colours.accent, colours.window, 0.6).name()
    c = colours
    return f"""
    QToolTip {{ background: {c.raised}; color: {c.text}; border: 1px solid {c.border}; padding: 4px 6px; }}
    QMenuBar {{ background: {c.panel}; padding: 1px 4px; }}
    QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {hover}; }}
    QMenu {{ background: {c.panel}; border: 1px solid {c.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 26px 5px 26px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
    QMenu::item:disabled {{ color: {disabled}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {c.border}; margin: 4px 8px; }}
    QMenu::icon {{ padding-left: 6px; }}
    QToolBar {{ background: {c.panel}; border: 0; border-bottom: 1px solid {c.border};
                padding: 4px 8px; spacing: 4px; }}
    QToolBar::separator {{ width: 1px; background: {c.border}; margin: 5px 5px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 5px 8px; color: {c.text}; }}
    QFileDialog QToolButton {{ padding: 0; }}
    QToolButton:hover {{ background: {hover}; }}
    QToolButton:pressed, QToolButton:checked {{ background: {pressed}; }}
    QToolButton:disabled {{ color: {disabled}; }}
    QToolButton[primary="true"] {{ background: {c.accent}; color: {c.on_accent}; font-weight: 600;
                                   padding: 5px 26px 5px 10px; }}
    QToolButton[primary="true"]:hover {{ background: {c.accent_hover}; }}
    QToolButton[primary="true"]:disabled {{ background: {accent_disabled}; color: {disabled}; }}
    QToolButton::menu-button {{ border: 0; width: 18px; border-radius: 6px; }}
    QToolButton::menu-button:hover {{ background: {pressed}; }}
    QToolButton[popupMode="1"] {{ padding-right: 24px; }}
    QToolButton[primary="true"]::menu-button {{ border: 0; border-left: 1px solid {accent_disabled};
                                   width: 20px; border-top-right-radius: 6px;
                                   border-bottom-right-radius: 6px; }}
    QToolButton[segment="true"] {{ border: 1px solid {c.border}; border-radius: 0; padding: 4px 6px;
                                   margin-left: -1px; background: {c.raised}; }}
    QToolButton[segment="true"]:checked {{ background: {c.accent}; color: {c.on_accent};
                                   border-color: {c.accent}; }}
    QToolButton[segment="true"]:disabled {{ color: {disabled}; }}
    QToolButton[segment="true"]:checked:disabled {{ background: {accent_disabled};
                                   border-color: {accent_disabled}; }}
    QToolButton[segment="true"]:focus {{ border-color: {c.accent}; }}
    QPushButton {{ border: 1px solid {c.border}; border-radius: 6px; padding: 5px 14px;
                   background: {c.raised}; color: {c.text}; }}
    QPushButton:hover {{ background: {hover}; }}
    QPushButton:pressed {{ background: {pressed}; }}
    QPushButton:disabled {{ color: {disabled}; }}
    QPushButton:focus {{ border-color: {c.accent}; }}
    QPushButton[role="row"] {{ border: 0; background: transparent; }}
    QPushButton[role="row"]:hover, QPushButton[role="row"]:focus {{ background: {hover}; }}
    QPushButton[primary="true"], QPushButton:default {{ background: {c.accent}; color: {c.on_accent};
                   border-color: {c.accent}; font-weight: 600; }}
    QPushButton[primary="true"]:hover, QPushButton:default:hover {{ background: {c.accent_hover}; }}
    QPushButton[primary="true"]:disabled, QPushButton:default:disabled {{ background: {accent_disabled};
                   border-color: {accent_disabled}; color: {disabled}; }}
    QDockWidget {{ titlebar-close-icon: none; titlebar-normal-icon: none; font-weight: 600; }}
    QDockWidget::title {{ background: {c.panel}; padding: 7px 10px; border-bottom: 1px solid {c.border}; }}
    QDockWidget > QWidget {{ background: {c.panel}; font-weight: 400; }}
    QMainWindow::separator {{ background: {c.border}; width: 1px; height: 1px; }}
    QMainWindow::separator:hover {{ background: {c.accent}; }}
    QTreeView {{ background: {c.panel}; outline: 0; }}
    QTreeView::branch:selected, QTreeView::branch:hover {{ background: transparent; }}
    QListView {{ background: {c.panel}; outline: 0; }}
    QTabBar {{ background: {c.panel}; }}
    QTabBar::tab {{ padding: 6px 14px; border: 0; border-right: 1px solid {c.border}; color: {c.muted};
                    background: {c.panel}; max-width: 220px; }}
    QTabBar::tab:selected {{ background: {c.window}; color: {c.text}; border-bottom: 2px solid {c.accent}; }}
    QTabBar::tab:hover {{ color: {c.text}; }}
    QStatusBar {{ background: {c.panel}; border-top: 1px solid {c.border}; }}
    QStatusBar::item {{ border: 0; }}
    QSplitter::handle {{ background: transparent; }}
    QSplitter::handle:hover {{ background: {c.accent}; }}
    QLabel[role="muted"] {{ color: {c.muted}; }}
    QLabel[role="title"] {{ font-weight: 600; }}
    QLabel[role="heading"] {{ font-size: 17pt; font-weight: 600; }}
    QLabel[role="answer"] {{ font-size: 14pt; font-weight: 600; }}
    QLabel[role="score"] {{ color: {c.muted}; }}
    QFrame[role="panel"] {{ background: {c.panel}; border: 1px solid {c.border}; border-radius: 8px; }}
    QFrame[role="panel"][active="true"] {{ border-color: {mixed(c.border, c.accent, 0.7).name()}; }}
    QFrame[role="wipe"] {{ background: {c.accent}; border: 0; }}
    QLabel[role="readout"] {{ background: rgba(0, 0, 0, 170); color: #ffffff; border-radius: 4px;
                   padding: 2px 6px; font-family: monospace; }}
    QToolButton[chooser="true"] {{ padding: 2px; border-radius: 4px; }}
    QToolButton[chooser="true"]::menu-indicator {{ image: none; }}
    QFrame[role="strip"] {{ background: {c.panel}; border: 0; border-top: 1px solid {c.border}; }}
    QProgressBar {{ border: 0; border-radius: 3px; background: {c.border}; max-height: 6px;
                    min-height: 6px; }}
    QProgressBar::chunk {{ background: {c.accent}; border-radius: 3px; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QSlider:horizontal {{ min-height: 22px; }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {c.border}; }}
    QSlider::sub-page:horizontal {{ background: {c.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
                                  background: {c.accent}; }}
    QSlider::handle:horizontal:hover {{ background: {c.accent_hover}; }}
    QSlider::sub-page:horizontal:disabled {{ background: {c.border}; }}
    QSlider::handle:horizontal:disabled {{ background: {c.border}; }}
    """
