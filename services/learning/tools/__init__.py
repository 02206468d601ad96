"""Study tools of a course (学习工具): notes, bookmarks, questions to the tutor, notices, and the search over them."""
