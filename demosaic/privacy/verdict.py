"""What an audit answers, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from demosaic.privacy.events import Attack, Hiding, Level, best_of

DIRECT, ALIKE, RESTORED = "direct", "alike", "restored"
"""Ways to compare: with clear photos, with photos hidden in the same way, or restored first."""

_ATTACKS = {
    DIRECT: "by comparing them with other photos of the same people",
    ALIKE: "by comparing them with other photos hidden in the same way",
    RESTORED: "by restoring them first",
}


@dataclass(frozen=True)
class Verdict:
    """The answer of an audit."""

    level: Level
    text: str
    advice: str


def judge(attacks: Sequence[Attack], asked: Hiding, count: int, chance: float) -> Verdict:
    """The answer for the way to hide faces that was `asked` about, from the attacks on `count`
    faces, of which guessing finds the share `chance`.
    """
    best = best_of(attack for attack in attacks if attack.hiding == asked)
    clear = best_of(attack for attack in attacks if attack.hiding is None)
    above = [attack for attack in attacks if attack.hiding == asked and attack.above_chance]
    guessed = f"guessing finds {_about(count * chance)}"
    if above:
        best = best_of(above)
        return Verdict(
            "red",
            f"Not safe: behind {asked}, simple software found {best.found} of {count} faces "
            f"again, {_ATTACKS[best.way]}; {guessed}.",
            _instead(attacks, asked, count),
        )
    if not clear.above_chance:
        return Verdict(
            "amber",
            "This audit cannot answer: its simple software did not even recognise faces that "
            f"nothing hides ({clear.found} of {count}; {guessed}).",
            "Give it more photos of more people.",
        )
    if asked.style == "solid":
        return Verdict(
            "green",
            f"Safe from this: nothing of a face is left behind {asked}; the software found "
            f"{best.found} of {count}, and {guessed}.",
            "Look at every result: a face that was not detected is not hidden, and hair, clothes "
            "and places stay.",
        )
    return Verdict(
        "amber",
        f"Not shown to be safe: behind {asked}, simple software found {best.found} of {count} "
        f"faces again, no more than luck may bring; better software may find more ({guessed}).",
        _instead(attacks, asked, count),
    )


def _instead(attacks: Sequence[Attack], asked: Hiding, count: int) -> str:
    """What to do instead, with what was measured of it."""
    black = [one for one in attacks if one.hiding and one.hiding.style == "solid"]
    if asked.style == "solid":
        return "Hide the whole box, not an ellipse, and more around the face: --margin 1.6."
    return (
        "Paint faces over instead: demosaic pixelate PHOTOS --style solid. Behind black, the same "
        f"software found {best_of(black).found} of {count}."
    )


def _about(number: float) -> str:
    """`about 2`, or `fewer than 1`."""
    return f"about {number:.0f}" if number >= 1 else "fewer than 1"
