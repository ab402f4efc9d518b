"""How names of pictures and videos end: of those that are read, and of those that are not."""


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


STACK_SUFFIXES = _suffixes("tif tiff")
"""Of files that may hold several pictures."""
PICTURE_SUFFIXES = _suffixes("png jpg jpeg bmp") | STACK_SUFFIXES
VIDEO_SUFFIXES = _suffixes("mp4 m4v mov 3gp avi mkv webm mpg mpeg vob ts mts m2ts wmv flv ogv mxf dv y4m")
UNREAD_PICTURE_SUFFIXES = (
    _suffixes("webp gif apng avif heic heif jxl jp2 j2k jpx jpf jxr wdp jfif jpe jif psd xcf tga svg")
    | _suffixes("ppm pgm pbm pnm pam pfm exr hdr rgbe dpx cin ras sgi rgb pcx dds dib fits fit dcm")
    | _suffixes("dng cr2 cr3 crw nef nrw arw sr2 srf rw2 orf raf pef srw x3f 3fr iiq erf kdc mrw")
)
UNREAD_VIDEO_SUFFIXES = _suffixes(
    "cine ivf rm rmvb h264 264 avc h265 265 hevc m1v m2v mpe 3g2 f4v asf ogg ogm gxf nut divx mjpeg mjpg r3d"
)
