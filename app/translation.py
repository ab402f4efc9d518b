"""The language of the window: Qt's translations of its texts, from `resources/i18n`."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QFontDatabase, QFontInfo, QGuiApplication

import resources

ACTIONS, TIPS, MENUS = "Actions", "Tips", "Menus"
"""Contexts of the texts that stand in the table of actions, whose calls no tool can find."""
ERRORS = "Errors"
"""Context of what the engine's errors say and advise."""
CHINESE_FONTS = (
    "Microsoft YaHei UI",
    "PingFang SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
)


def translations_folder() -> Path:
    return Path(resources.__file__).parent / "i18n"


def language_of(choice: str) -> str:
    """Return the language to use: what was chosen, or that of the desktop where there is one of it."""
    if choice != "system":
        return choice
    locale = QLocale.system()
    return "zh_CN" if locale.language() == QLocale.Language.Chinese else "en"


def translate(application: QCoreApplication, choice: str) -> list[QTranslator]:
    """Put a language in force, for all texts made from now on; return what was loaded for it."""
    language = language_of(choice)
    loaded = []
    qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in ((f"studio_{language}", str(translations_folder())), (f"qtbase_{language}", qt)):
        translator = QTranslator(application)
        if translator.load(name, folder):
            application.installTranslator(translator)
            loaded.append(translator)
    return loaded


def fit_font(application: QGuiApplication, choice: str) -> None:
    """Use a font that has the language's characters.

    Those that Qt borrows from another font are higher than the font says, and would be cut off.
    """
    if language_of(choice) != "zh_CN":
        return
    families = QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese)
    font = application.font()
    if not families or QFontInfo(font).family() in families:
        return
    font.setFamily(next((family for family in CHINESE_FONTS if family in families), families[0]))
    application.setFont(font)
