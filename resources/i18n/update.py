"""Bring the translation files up to date with the texts of `app/`, and compile them.

    python resources/i18n/update.py

Texts that call `tr` are found by lupdate; those in the table of actions, and what the engine's errors say and
advise, are added here. What is translated
stays, also when a text moves to another class; what is not is marked unfinished, and the tests say so.
"""

import ast
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from app.translation import ACTIONS, MENUS, TIPS
from app.translation import ERRORS as ERRORS_CONTEXT
from app.ui.window import action_table
from engine import errors

FOLDER = Path(__file__).parent
APP, ENGINE = FOLDER.parents[1] / "app", FOLDER.parents[1] / "engine"
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type)} - {"OperationCancelled"}


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(f"pyside6-{name}"))


def texts_of_tables() -> dict[str, list[str]]:
    """Return the texts that no tool finds, by context."""
    return {
        ACTIONS: sorted({spec.text for spec in action_table.ACTIONS}),
        TIPS: sorted({spec.tip for spec in action_table.ACTIONS}),
        MENUS: list(action_table.MENUS),
        ERRORS_CONTEXT: texts_of_errors(),
    }


def texts_of_errors() -> list[str]:
    """Return what the engine's errors say and advise, where that is the same every time."""
    texts = set()
    for path in ENGINE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                said = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "advice")]
                texts |= {one.value for one in said if isinstance(one, ast.Constant)}
    return sorted(text for text in texts if isinstance(text, str) and not text.startswith("/"))


def translations(path: Path) -> dict[tuple[str, str], str]:
    """Return what is translated, by context and text."""
    found = {}
    for context in ET.parse(path).getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            if translation is not None and translation.text and translation.get("type") != "vanished":
                found[name, message.findtext("source", "")] = translation.text
    return found


def update(path: Path) -> int:
    """Update one file; return how many texts have no translation."""
    known = translations(path) if path.exists() else {}
    elsewhere = {source: text for (_, source), text in known.items()}
    sources = sorted(str(one) for one in APP.rglob("*.py"))
    subprocess.run(
        [tool("lupdate"), *sources, "-no-obsolete", "-locations", "none", "-ts", str(path)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    tree = ET.parse(path)
    root = tree.getroot()
    contexts = {context.findtext("name", ""): context for context in root.iter("context")}
    for name, texts in texts_of_tables().items():
        context = contexts.get(name)
        if context is None:
            context = ET.SubElement(root, "context")
            ET.SubElement(context, "name").text = name
        for text in texts:
            message = ET.SubElement(context, "message")
            ET.SubElement(message, "source").text = text
            ET.SubElement(message, "translation")
    missing = 0
    for context in root.iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            if translation is None:
                translation = ET.SubElement(message, "translation")
            source = message.findtext("source", "")
            translation.text = known.get((name, source), translation.text) or elsewhere.get(source)
            if translation.text:
                translation.attrib.pop("type", None)
            else:
                translation.set("type", "unfinished")
                missing += 1
    ET.indent(root, "    ")
    header = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
    path.write_text(header + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")
    compiled = path.with_suffix(".qm")
    subprocess.run([tool("lrelease"), "-silent", str(path), "-qm", str(compiled)], check=True)
    return missing


def main() -> None:
    for path in sorted(FOLDER.glob("*.ts")):
        sys.stdout.write(f"{path.name}: {update(path)} texts without a translation\n")


if __name__ == "__main__":
    main()
