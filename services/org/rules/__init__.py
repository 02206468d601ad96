"""Pure decisions of org, by topic: memberships, delegation, schools, divisions, rosters of schools."""
