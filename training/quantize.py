"""Weights as the library's q4 rounds them (src/formats/quantize.ts), for training with that rounding."""
import torch

GROUP = 32  # weights that share a scale
EXTREMES = (-8.2, -7.8, -8.7, -7.2)  # what a group's value of largest magnitude may become, before rounding


@torch.no_grad()
def rounded(weight):
    """Each group of a row: the integers -8 … 7 times the float16 scale, of one per extreme, with the least squared error."""
    groups = weight.reshape(-1, GROUP)
    extreme = groups.gather(1, groups.abs().argmax(1, keepdim=True))
    extreme = torch.where(extreme == 0, 1, extreme)
    scale, most = torch.zeros_like(extreme), torch.zeros_like(extreme)
    for to in EXTREMES:
        integers = (groups * (to / extreme)).round().clamp(-8, 7)
        product, square = (groups * integers).sum(1, keepdim=True), integers.square().sum(1, keepdim=True).clamp(min=1)
        gained = product.square() / square
        scale, most = torch.where(gained > most, product / square, scale), torch.maximum(most, gained)
    scale = scale.half().float()
    integers = (groups / torch.where(scale == 0, 1, scale)).round().clamp(-8, 7)
    return (integers * scale).reshape(weight.shape)


class Rounded:
    """Within it the matrices are rounded; after it they are whole again, with the gradients that the rounded ones got ("straight through")."""

    def __init__(self, model):
        self.matrices = [p for p in model.parameters() if p.ndim == 2]

    def __enter__(self):
        self.kept = [p.data for p in self.matrices]
        for p in self.matrices:
            p.data = rounded(p.data)

    def __exit__(self, *_):
        for p, data in zip(self.matrices, self.kept):
            p.data = data
