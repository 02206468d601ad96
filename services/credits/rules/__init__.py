"""The rule engine: pure functions of (evidence, pack) to amounts and their explanation. Standard library only.

`season` judges what was watched, `ledger` what a year or a cycle holds, `items` what activities earn by a table.
"""

from services.credits.rules.evidence import Quiz as Quiz
from services.credits.rules.evidence import Video as Video
from services.credits.rules.outcome import CourseOutcome as CourseOutcome
from services.credits.rules.outcome import Outcome as Outcome
from services.credits.rules.outcome import Reason as Reason
from services.credits.rules.outcome import Shortfall as Shortfall
from services.credits.rules.outcome import TraceLine as TraceLine
from services.credits.rules.pack import ItemPack as ItemPack
from services.credits.rules.pack import LedgerPack as LedgerPack
from services.credits.rules.pack import Pack as Pack
from services.credits.rules.pack import Rule as Rule
from services.credits.rules.pack import SeasonPack as SeasonPack
from services.credits.rules.season import Passed as Passed
from services.credits.rules.season import evaluate as evaluate
from services.credits.rules.season import pass_gates as pass_gates
from services.credits.rules.season import settle as settle
