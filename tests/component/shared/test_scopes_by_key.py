"""No policy of row security makes a list of everybody in a territory before it shows one row."""

import re

import pytest
import sqlalchemy as sa

from services.shared.settings import SERVICES

# PostgreSQL answers such an EXISTS from a list of all that the scope covers, and that list grows with the nation.
LISTING = re.compile(r"EXISTS \( *SELECT[^;]*?app_covers\(", re.DOTALL)


@pytest.mark.parametrize("service", SERVICES)
def test_a_scope_is_looked_up_by_key(service_database, service):
    with service_database(service).work() as db:
        # A table that the application's role may not touch is not looked at through its scope.
        policies = db.execute(
            sa.text(
                "SELECT tablename, qual FROM pg_policies, unnest(roles) AS role WHERE qual IS NOT NULL"
                " AND (has_table_privilege(role, tablename, 'SELECT') OR has_table_privilege(role, tablename, 'UPDATE'))"
            )
        ).all()
    assert policies
    assert [table for table, scope in policies if LISTING.search(scope)] == []
