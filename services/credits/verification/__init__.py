"""Yearly and cycle verification 年度验证、周期验证 (`domain.md` §3.18): computed from the ledger, frozen, complained about."""
