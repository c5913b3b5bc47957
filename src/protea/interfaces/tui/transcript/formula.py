"""Formulas as text: commands of LaTeX as the signs they stand for, as far as Unicode has them. Pure."""

from __future__ import annotations

import re

_SIGNS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω", "cdot": "·", "times": "×", "div": "÷", "pm": "±", "mp": "∓", "leq": "≤", "le": "≤", "geq": "≥",
    "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "equiv": "≡", "sim": "∼", "propto": "∝", "infty": "∞", "sum": "∑",
    "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "in": "∈", "subset": "⊂", "subseteq": "⊆",
    "cup": "∪", "cap": "∩", "emptyset": "∅", "forall": "∀", "exists": "∃", "neg": "¬", "land": "∧", "lor": "∨",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "Leftrightarrow": "⇔", "implies": "⇒",
    "iff": "⇔", "mapsto": "↦", "ldots": "…", "dots": "…", "cdots": "⋯", "langle": "⟨", "rangle": "⟩", "ell": "ℓ",
    "quad": "  ", "qquad": "    ", "log": "log", "ln": "ln", "sin": "sin", "cos": "cos", "tan": "tan", "exp": "exp",
    "min": "min", "max": "max", "lim": "lim", "left": "", "right": "", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "mid": "|", "circ": "∘", "oplus": "⊕", "otimes": "⊗", "perp": "⊥", "prime": "′",
}  # fmt: skip
_RAISED = dict(zip("0123456789+-=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ", strict=True))
_LOWERED = dict(zip("0123456789+-=()aeijnorx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₙₒᵣₓ", strict=True))
_GROUP = r"\{([^{}]*)\}"


def formula(text: str) -> str:
    """`\\frac{a}{b} \\leq x^2` as `a/b ≤ x²`; what has no sign stays as it is written."""
    if "\\" in text:
        text = re.sub(rf"\\(?:text|mathrm|mathbf|mathit|operatorname|mathcal|mathbb){_GROUP}", r"\1", text)
        for _ in range(4):
            text, before = re.sub(rf"\\[dt]?frac{_GROUP}{_GROUP}", _fraction, text), text
            if text == before:
                break
        text = re.sub(rf"\\sqrt{_GROUP}", lambda m: f"√{_grouped(m[1])}", text)
        text = re.sub(r"\\([A-Za-z]+)", lambda m: _SIGNS.get(m[1], m[0]), text)
        text = re.sub(r"\\[,;:! ]", " ", text)
    text = re.sub(rf"\^(?:{_GROUP}|(\w))", lambda m: _script(m, _RAISED), text)
    return re.sub(rf"_(?:{_GROUP}|(\w))", lambda m: _script(m, _LOWERED), text)


def _fraction(found: re.Match[str]) -> str:
    return f"{_grouped(found[1])}/{_grouped(found[2])}"


def _grouped(text: str) -> str:
    return text if re.fullmatch(r"\w+|\\[A-Za-z]+", text) else f"({text})"


def _script(found: re.Match[str], signs: dict[str, str]) -> str:
    content = found[1] if found[1] is not None else found[2]
    if content and all(character in signs for character in content):
        return "".join(signs[character] for character in content)
    return found[0]
