"""What lies in a folder and is not read, though it may be what somebody meant: named, never passed over.

Broken links, pictures of kinds that are not read, folders inside a folder of pictures, files that look like
spikes. A folder of frames that holds nothing else is an error: its spikes alone would be another task.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import UnreadFramesError
from engine.file_names import composed, in_order
from engine.findings import Finding, option
from engine.layouts.listing import (
    BARE_SUFFIXES,
    PICTURE_SUFFIXES,
    RECORDING_SUFFIXES,
    VIDEO_SUFFIXES,
    entries,
    files_with,
    pictures_in,
    shorten,
)
from engine.suffixes import UNREAD_PICTURE_SUFFIXES


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


DRAWN_SUFFIXES = _suffixes("gif apng svg psd xcf")
"""Of pictures about a recording rather than from a camera, when they stand alone."""
ARCHIVE_SUFFIXES = _suffixes("zip tar gz tgz bz2 xz zst 7z rar lnk")
FOREIGN_SPIKE_SUFFIXES = _suffixes("mat h5 hdf5 hdf aedat aedat2 aedat4 bag db3 mcap es")
"""Of files that may hold spikes and are not read."""
_NETWORK_SUFFIXES = _suffixes("pt pth pkl")
"""Of networks, and of spikes only where the name says so."""
SPIKE_SUFFIXES = BARE_SUFFIXES | RECORDING_SUFFIXES | _suffixes("spk spike spikes")
_TEXT_SUFFIXES = _suffixes(
    "txt md rst json jsonl yaml yml xml xmp csv tsv ini cfg toml log html htm pdf doc"
) | (_suffixes("docx xls xlsx py sh bat m aae db md5 sha1 sha256 bak"))
"""Of what is written about pictures."""
_ANY_PICTURE = PICTURE_SUFFIXES | UNREAD_PICTURE_SUFFIXES

LINKS_REMEDY = "Bring back what they lead to, or remove them"
CONVERT = "Convert them to PNG or TIFF"


@dataclass(frozen=True)
class Unread:
    """What is in a folder of pictures, or should be, and is not read."""

    folder: Path
    links: tuple[Path, ...] = ()
    """Links that lead nowhere."""
    pictures: tuple[Path, ...] = ()
    """Of known kinds that are not read."""
    others: tuple[Path, ...] = ()
    """Files of unknown kinds, and of kinds that are read elsewhere."""
    folders: tuple[Path, ...] = ()
    """Folders that hold pictures."""

    @property
    def frames(self) -> tuple[Path, ...]:
        """What was surely meant to be a picture."""
        links = [path for path in self.links if path.suffix.lower() in _ANY_PICTURE]
        return tuple(in_order((*links, *self.pictures)))

    @property
    def lost(self) -> tuple[str, ...]:
        """Names of pictures that are known of and cannot be read, without those that are there twice."""
        if not self.frames:
            return ()
        there = {composed(path.stem) for path in pictures_in(self.folder)}
        stems = dict.fromkeys(path.stem for path in self.frames)
        return tuple(stem for stem in stems if composed(stem) not in there)

    def without(self, used: Path | None) -> "Unread":
        """Return the same less a file that is read after all."""
        return replace(self, others=tuple(path for path in self.others if path != used))

    def findings(self, label: str) -> tuple[Finding, ...]:
        """Name all of it; `label` is how a person knows the folder, such as `blur/`."""
        found = []
        if self.links:
            found.append(Finding(f"links in {label} that lead nowhere: {_listed(self.links)}", LINKS_REMEDY))
        unread = (*self.pictures, *self.others)
        if unread:
            found.append(
                Finding(
                    f"files in {label} that are not read: {_listed(unread)}",
                    f"{CONVERT} where they are pictures of the sequence",
                )
            )
        if self.folders:
            found.append(
                Finding(
                    f"folders in {label}, whose pictures are not read: {_listed(self.folders)}",
                    f"Move their pictures up into {label}, or open one of them",
                )
            )
        return tuple(found)

    def error(self) -> UnreadFramesError:
        """Return the error that the folder holds frames, and none that is read."""
        packed = [path for path in self.others if path.suffix.lower() in ARCHIVE_SUFFIXES]
        files = [path for path in (*self.pictures, *self.others) if path not in packed]
        told = (
            ("", files, CONVERT),
            ("", packed, "Unpack them"),
            ("links that lead nowhere: ", self.links, "Bring back what the links lead to"),
            (
                "folders: ",
                self.folders,
                f"Move the pictures up, or open their folder with {option('spikes')}",
            ),
        )
        return UnreadFramesError(
            "frames are there, and none of them can be read",
            path=self.folder,
            found="; ".join(what + _listed(paths) for what, paths, _ in told if paths),
            expected=f"pictures ({' '.join(sorted(PICTURE_SUFFIXES))})",
            advice=". ".join(advice for _, paths, advice in told if paths),
        )


def unread_in(folder: Path) -> Unread:
    """Look for what is not read in a folder that is there for pictures alone; nothing where there is none."""
    if folder.is_symlink() and not folder.exists():
        return Unread(folder, links=(folder,))
    if folder.is_file():
        return Unread(folder, others=(folder,))
    if not folder.is_dir():
        return Unread(folder)
    links, pictures, others, folders = [], [], [], []
    for path in entries(folder):
        suffix = path.suffix.lower()
        if path.is_symlink() and not path.exists():
            links.append(path)
        elif suffix in PICTURE_SUFFIXES:
            continue
        elif path.is_dir():
            if has_pictures(path):
                folders.append(path)
        elif suffix in UNREAD_PICTURE_SUFFIXES:
            pictures.append(path)
        elif suffix not in _TEXT_SUFFIXES and not (suffix == "" and path.name.isalpha()):
            others.append(path)
    return Unread(folder, *(tuple(in_order(paths)) for paths in (links, pictures, others, folders)))


def unread_pictures_in(folder: Path) -> Unread:
    """Look for pictures that are not read, and links to pictures, in a folder that may hold anything else."""
    every = unread_in(folder)
    links = [path for path in every.links if path.suffix.lower() in _ANY_PICTURE]
    return Unread(folder, tuple(links), every.pictures)


def has_pictures(folder: Path) -> bool:
    """Whether a folder holds a picture, of a kind that is read or not; a closed one holds none."""
    try:
        return any(
            path.suffix.lower() in _ANY_PICTURE and not path.name.startswith(".") for path in folder.iterdir()
        )
    except OSError:
        return False


def archives_of(folder: Path, names: Iterable[str]) -> Unread:
    """Look for archives and shortcuts that stand in the place of the folders `names`."""
    found = [
        path for path in files_with(folder, ARCHIVE_SUFFIXES) if path.name.lower().split(".")[0] in names
    ]
    return Unread(folder, others=tuple(found))


def spikes_unread(folder: Path, *used: Path | None) -> tuple[Finding, ...]:
    """Name files beside the frames that look like spikes and are not used, and links that lead nowhere.

    `used` are recordings that are; beside them arrays may be anything and go without saying.
    """
    has_spikes = any(used)
    readable, foreign, links = [], [], []
    for path in in_order(entries(folder)) if folder.is_dir() else ():
        suffix, name = path.suffix.lower(), path.name.lower()
        says_so = "spike" in name or "event" in name
        if path.is_symlink() and not path.exists():
            if suffix not in _ANY_PICTURE:
                links.append(path)
        elif path in used or not path.is_file():
            continue
        elif suffix in SPIKE_SUFFIXES and (not has_spikes or says_so or suffix not in (".npy", ".npz")):
            readable.append(path)
        elif (suffix in FOREIGN_SPIKE_SUFFIXES and (not has_spikes or says_so)) or (
            suffix in ARCHIVE_SUFFIXES | _NETWORK_SUFFIXES and says_so
        ):
            foreign.append(path)
    findings = []
    if links:
        findings.append(Finding(f"links that lead nowhere: {_listed(links)}", LINKS_REMEDY))
    if readable:
        findings.append(
            Finding(
                f"files that may be spikes and are not used: {_listed(readable)}",
                f"Name {option('spikes')} to use it",
            )
        )
    if foreign:
        findings.append(
            Finding(
                f"files that may be spikes, of kinds that are not read: {_listed(foreign)}",
                f"Convert them to .dat, .npy or .npz, and name {option('spikes')}",
            )
        )
    return tuple(findings)


def spike_folder_unread(folder: Path, label: str) -> tuple[Finding, ...]:
    """Name what is in a folder of recordings and is not read."""
    if folder.is_symlink() and not folder.exists():
        return (
            Finding(f"{label} is a link that leads nowhere", "Bring back what it leads to, or remove it"),
        )
    if not folder.is_dir():
        return ()
    links = [path for path in entries(folder) if path.is_symlink() and not path.exists()]
    known = RECORDING_SUFFIXES | BARE_SUFFIXES | PICTURE_SUFFIXES | VIDEO_SUFFIXES | _TEXT_SUFFIXES
    others = [
        path
        for path in entries(folder)
        if path.is_file() and path.suffix and path.suffix.lower() not in known
    ]
    findings = []
    if links:
        findings.append(
            Finding(f"links in {label} that lead nowhere: {_listed(in_order(links))}", LINKS_REMEDY)
        )
    if others:
        findings.append(
            Finding(
                f"files in {label} that are not read: {_listed(in_order(others))}",
                "Convert them to .dat, .npy or .npz where they are recordings of the sequence",
            )
        )
    return tuple(findings)


def _listed(paths: Iterable[Path]) -> str:
    return shorten([path.name for path in paths])
