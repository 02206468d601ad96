"""The rule engine: a pure function of (evidence, pack) to amounts and their explanation. Standard library only."""

from services.credits.rules.engine import evaluate as evaluate
from services.credits.rules.evidence import Quiz as Quiz
from services.credits.rules.evidence import Video as Video
from services.credits.rules.outcome import CourseOutcome as CourseOutcome
from services.credits.rules.outcome import Outcome as Outcome
from services.credits.rules.outcome import Reason as Reason
from services.credits.rules.outcome import Shortfall as Shortfall
from services.credits.rules.outcome import TraceLine as TraceLine
from services.credits.rules.pack import Pack as Pack
from services.credits.rules.pack import Rule as Rule
