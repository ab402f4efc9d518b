"""A 3 × 3 homography as plain numbers: checked, and applied to points.

It takes (x, y, 1) of a frame to a multiple of (x, y, 1) of the spikes; pixel centres lie at integers.
"""

import math
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegistrationError
from engine.geometry import Size

Homography = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
"""Row by row."""

Between = Literal["linear", "cubic", "nearest"]
"""How values between the pixels of a picture are taken."""
Beyond = Literal["nothing", "mirrored"]
"""What is drawn beyond a picture's border: 0, or the picture mirrored there."""

Matrix = NDArray[np.float64]

LEAST_DETERMINANT = 1e-9
"""Of a homography between unit squares, its elements' squares adding up to 1."""
LEAST_DEPTH = 0.02
"""Of the nearest corner's, that of the farthest: beyond lies the horizon, which no two cameras share."""
MOST_SCALE = 256.0
"""Times that a pixel of one camera may be longer than one of the other, in any direction."""


def homography_of(value: object) -> Homography:
    """Return 3 rows of 3 numbers, from sequences or an array of them. Raises RegistrationError."""
    rows = _listed(value)
    lists = [_listed(row) for row in rows]
    if len(lists) != 3 or any(len(row) != 3 for row in lists):
        raise _refused(RegistrationError("a homography is 3 rows of 3 numbers"), _quoted(value))
    numbers = []
    for element in (element for row in lists for element in row):
        if isinstance(element, bool | np.bool_) or not isinstance(element, Real):
            raise _refused(RegistrationError("a homography holds what is no number"), _quoted(element))
        if not math.isfinite(element):
            raise _refused(
                RegistrationError("a homography holds a number that is not finite"), _quoted(element)
            )
        numbers.append(float(element))
    a, b, c, d, e, f, g, h, i = numbers
    return (a, b, c), (d, e, f), (g, h, i)


def matrix_of(homography: Homography) -> Matrix:
    """Return a homography as an array whose elements are of order one, which is the same homography."""
    matrix = np.array(homography, np.float64)
    return np.ldexp(matrix, -math.frexp(float(np.abs(matrix).max()))[1])


def scale_matrix(frame: Size, spikes: Size) -> Matrix:
    """Return the homography of two pictures of one field of view, whose outer edges lie on each other."""
    across, down = spikes.width / frame.width, spikes.height / frame.height
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]], np.float64)


def mapped(matrix: Matrix, points: NDArray[np.floating]) -> Matrix:
    """Return where points (..., 2), x and y, lie in the other picture; infinite on the horizon."""
    x, y = points[..., 0].astype(np.float64), points[..., 1].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
        return np.stack(
            [
                (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / depth,
                (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / depth,
            ],
            axis=-1,
        )


def corners(size: Size) -> Matrix:
    """Return the outer corners of a picture, (4, 2) x and y, in turn around it."""
    right, bottom = size.width - 0.5, size.height - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])


def scales_at(matrix: Matrix, point: tuple[float, float]) -> tuple[Matrix, Matrix]:
    """Return how long a step across and a step down are in the other picture, and the singular values."""
    x, y = point
    depth = float(matrix[2] @ (x, y, 1))
    at = (matrix[:2] @ (x, y, 1)) / depth
    jacobian = (matrix[:2, :2] - np.outer(at, matrix[2, :2])) / depth
    steps, singular = np.linalg.norm(jacobian, axis=0), np.linalg.svd(jacobian, compute_uv=False)
    return steps.astype(np.float64), singular.astype(np.float64)


def check_homography(matrix: Matrix, frame: Size, spikes: Size) -> None:
    """Raise RegistrationError where a homography cannot be that of two cameras that see one scene."""
    found = str([[round(float(value), 6) for value in row] for row in matrix])
    unit = np.linalg.inv(_edges(spikes)) @ matrix @ _edges(frame)
    unit /= max(float(np.linalg.norm(unit)), 1e-300)
    if not abs(float(np.linalg.det(unit))) > LEAST_DETERMINANT:
        raise _refused(
            RegistrationError("the homography is singular: it takes the frame to a line or a point"), found
        )
    for one, size in ((matrix, frame), (np.linalg.inv(matrix), spikes)):
        depths = np.array([float(one[2] @ (x, y, 1)) for x, y in corners(size)])
        if not depths.min() * depths.max() > 0 or np.abs(depths).min() < LEAST_DEPTH * np.abs(depths).max():
            raise _refused(
                RegistrationError("the homography's horizon crosses the frame or the spikes"), found
            )
    for x, y in corners(frame):
        scales = scales_at(matrix, (float(x), float(y)))[1]
        if not (scales.min() > 1 / MOST_SCALE and scales.max() < MOST_SCALE):
            problem = RegistrationError(
                "the homography makes pixels of one camera hundreds of the other's long"
            )
            raise _refused(problem, found)
    if not _overlap(mapped(matrix, corners(frame)), corners(spikes)):
        problem = RegistrationError("the homography leaves the spikes no pixel of the frame")
        raise _refused(problem, f"{found} for frames of {frame} and spikes of {spikes}")


def _edges(size: Size) -> Matrix:
    """Return what takes the unit square to the outer edges of a picture."""
    return np.array([[size.width, 0, -0.5], [0, size.height, -0.5], [0, 0, 1]], np.float64)


def _overlap(one: Matrix, other: Matrix) -> bool:
    """Tell whether two convex quadrilaterals share an area: no edge of either has all of the other beyond."""
    for shape, against in ((one, other), (other, one)):
        centre = shape.mean(axis=0)
        for start, stop in zip(shape, np.roll(shape, -1, axis=0), strict=True):
            normal = np.array([stop[1] - start[1], start[0] - stop[0]])
            inner = float((centre - start) @ normal)
            if (((against - start) @ normal) * inner <= 0).all():
                return False
    return True


def _listed(value: object) -> list[object]:
    if isinstance(value, np.ndarray):
        return list(value) if value.ndim else []
    return list(value) if isinstance(value, list | tuple) else []


def _quoted(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:80]}…"


def _refused(problem: RegistrationError, found: str) -> RegistrationError:
    """Return the error with what was found, and what would do."""
    return RegistrationError(
        problem.problem,
        found=found,
        expected="3 × 3 numbers that take pixels (x, y, 1) of the frames to those of the spikes",
        advice="Measure the registration again, or leave it out where both cameras see the same",
    )
