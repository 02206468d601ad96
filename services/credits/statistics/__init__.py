"""Statistics of training 研修统计: kept as roll-ups from every change, never counted when asked (`architecture.md` decision 15)."""
