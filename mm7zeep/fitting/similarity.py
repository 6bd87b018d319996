"""How alike two pictures are: the mean structural similarity (SSIM) of their lightness, in blocks of 8 x 8 pixels.

Reckoned by Pillow alone. Runs in a worker.
"""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageMath

_BLOCK = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al., 2004


def ssim(one: Image.Image, other: Image.Image) -> float:
    """From -1 to 1, of two pictures of one size; below 8 pixels a side they are one block."""
    a, b = (image.convert("L").convert("F") for image in (one, other))
    block = (min(_BLOCK, a.width), min(_BLOCK, a.height))

    def mean(image: Image.Image) -> Image.Image:
        return image.reduce(block)

    def product(x: Image.Image, y: Image.Image) -> Image.Image:
        return _reckon(lambda env: env["x"] * env["y"], x=x, y=y)

    def similar(env: dict[str, Any]) -> Any:
        mu_a, mu_b = env["a"], env["b"]
        var_a, var_b, both = env["aa"] - mu_a * mu_a, env["bb"] - mu_b * mu_b, env["ab"] - mu_a * mu_b
        top = (mu_a * mu_b * 2 + _C1) * (both * 2 + _C2)
        return top / ((mu_a * mu_a + mu_b * mu_b + _C1) * (var_a + var_b + _C2))

    values = {"a": mean(a), "b": mean(b), "aa": mean(product(a, a)), "bb": mean(product(b, b))}
    map_ = _reckon(similar, **values, ab=mean(product(a, b)))
    pixel = map_.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return float(pixel) if isinstance(pixel, int | float) else 0.0


def _reckon(expression: Any, **images: Image.Image) -> Image.Image:
    made: Image.Image = ImageMath.lambda_eval(expression, **images)
    return made
