"""The members of the demo gym and what they train."""

from dataclasses import dataclass

from kinetria_cli.domain.vos import WorkoutStatus


@dataclass(frozen=True, slots=True)
class Plan:
    """A workout of a member: which exercises, on which days of the week (0 is Monday)."""

    name: str
    description: str | None
    status: WorkoutStatus
    days: tuple[int, ...]
    exercises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member: `strength` is in percent of the catalogue's starting weights."""

    name: str
    login: str
    strength: int
    hour: int
    plans: tuple[Plan, ...]


_PUBLISHED, _DRAFT, _ARCHIVED = WorkoutStatus.PUBLISHED, WorkoutStatus.DRAFT, WorkoutStatus.ARCHIVED

MEMBERS = (
    Member(
        "Ana Ribeiro",
        "ana.ribeiro",
        90,
        7,
        (
            Plan(
                "Push day",
                "Chest, shoulders, triceps",
                _PUBLISHED,
                (0,),
                ("barbell-bench-press", "standing-overhead-press", "dumbbell-fly", "triceps-pushdown"),
            ),
            Plan(
                "Pull day",
                "Back and biceps",
                _PUBLISHED,
                (2,),
                ("conventional-deadlift", "lat-pulldown", "seated-cable-row", "barbell-curl"),
            ),
            Plan(
                "Leg day",
                "Squats first, then the rest",
                _PUBLISHED,
                (4,),
                ("barbell-back-squat", "romanian-deadlift", "leg-press", "single-leg-stance"),
            ),
        ),
    ),
    Member(
        "Marek Nowak",
        "marek.nowak",
        135,
        18,
        (
            Plan(
                "Heavy lower",
                "Low reps, long rests",
                _PUBLISHED,
                (0, 3),
                ("barbell-back-squat", "conventional-deadlift", "barbell-front-squat", "hanging-leg-raise"),
            ),
            Plan(
                "Heavy upper",
                "Low reps, long rests",
                _PUBLISHED,
                (1, 5),
                ("barbell-bench-press", "bent-over-barbell-row", "standing-overhead-press", "pull-up"),
            ),
            Plan("Meet preparation", None, _DRAFT, (), ()),
        ),
    ),
    Member(
        "Chioma Okafor",
        "chioma.okafor",
        75,
        12,
        (
            Plan(
                "Lunch circuit",
                "Forty minutes, no waiting",
                _PUBLISHED,
                (1, 3, 4),
                ("kettlebell-swing", "push-up", "jump-rope", "mountain-climber", "plank"),
            ),
            Plan("Old beginner plan", "Kept for comparison", _ARCHIVED, (), ()),
        ),
    ),
    Member(
        "Jonas Weber",
        "jonas.weber",
        100,
        20,
        (
            Plan("Row and core", "Easy pace", _PUBLISHED, (1, 6), ("indoor-rowing", "plank", "bird-dog", "face-pull")),
            Plan("Long run", None, _PUBLISHED, (5,), ("treadmill-run", "standing-hamstring-stretch")),
        ),
    ),
    Member(
        "Sofia Lindqvist",
        "sofia.lindqvist",
        65,
        9,
        (
            Plan(
                "Back on track",
                "After the break: light and clean",
                _PUBLISHED,
                (0, 3),
                ("incline-dumbbell-press", "lat-pulldown", "dumbbell-walking-lunge", "dumbbell-lateral-raise"),
            ),
            Plan(
                "Sunday stretch",
                "Hold, breathe, do not bounce",
                _PUBLISHED,
                (6,),
                ("cat-cow-stretch", "childs-pose", "doorway-chest-stretch", "cross-body-shoulder-stretch"),
            ),
        ),
    ),
)
