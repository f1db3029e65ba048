"""Muon for the layers' matrices, StableAdamW for everything else.

ModernBERT used StableAdamW alone. The original nano was trained with Muon, which gets further with the same number of tokens: its update has
all singular values near 1, so rare directions are learned as fast as common ones. On a CPU with few tokens to spend that is worth its cost,
five steps of small matrix products per update.
"""
import torch


def orthogonal(updates):
    """Approximately the nearest semi-orthogonal matrices of [count, rows, columns], by five Newton-Schulz steps (Jordan et al. 2024)."""
    tall = updates.shape[-2] > updates.shape[-1]
    x = (updates.transpose(-1, -2) if tall else updates).bfloat16()
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(5):
        square = x @ x.transpose(-1, -2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.transpose(-1, -2) if tall else x).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for p in group["params"]:
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                by_shape.setdefault(p.shape, []).append((p, p.grad.lerp(buffer, group["momentum"])))
            for (rows, columns), members in by_shape.items():
                updates = orthogonal(torch.stack([update for _, update in members]))
                scale = max(1, rows / columns) ** 0.5
                for (p, _), update in zip(members, updates):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)


class StableAdamW(torch.optim.Optimizer):
    """AdamW whose step shrinks as the gradient exceeds its running RMS (Wortsman et al. 2023), so that no clipping is needed."""

    def __init__(self, parameters, lr, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "steps": 0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            group["steps"] += 1
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["mean"], state["square"] = torch.zeros_like(p), torch.zeros_like(p)
                # bias correction folded into the betas, as in AdaFactor and StableAdamW
                first, second = (b * (1 - b ** (group["steps"] - 1)) / (1 - b ** group["steps"]) for b in group["betas"])
                state["mean"].lerp_(p.grad, 1 - first)
                state["square"].mul_(second).addcmul_(p.grad, p.grad, value=1 - second)
                excess = (p.grad.square() / state["square"].clamp(min=group["eps"] ** 2)).mean().sqrt().clamp(min=1).item()
                lr = group["lr"] / excess
                decay = group["weight_decay"] if p.ndim > 1 else 0
                p.mul_(1 - lr * decay).addcdiv_(state["mean"], state["square"].sqrt() + group["eps"], value=-lr)


def optimizers(model, muon_lr, adam_lr):
    matrices, others = [], []
    for name, p in model.named_parameters():
        (matrices if p.ndim == 2 and "embeddings" not in name else others).append(p)
    made = [Muon(matrices, muon_lr), StableAdamW(others, adam_lr)]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return made


def rate(done, warmup, decay, total):
    """Warmup-stable-decay: linear warm-up, constant, then 1 - sqrt decay to 0 over the last `decay` of `total`."""
    if done < warmup:
        return done / warmup
    past = done - (total - decay)
    return 1.0 if past <= 0 else max(0.0, 1 - (past / decay) ** 0.5)


def step(made, factor):
    for optimizer in made:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
