"""One model for everything that is done to many at once: a job, its rows, each row with its own outcome.

A service mounts it (`entrypoints.RunsJobs`) in a process type of its own and declares kinds of jobs (`kinds.Kind`) and of
exports (`kinds.Export`). A job is somebody's: it runs with the grants that its owner holds at that moment.
"""
