"""Refusals and reasons of learning: code -> (Chinese, English)."""

from __future__ import annotations

from services.learning.contract import grades, selection, special_training

ERRORS: dict[str, tuple[str, str]] = {
    **selection.ERRORS,
    **grades.ERRORS,
    **special_training.ERRORS,
    # enrolment (domain.md §3.21)
    "learning.programme_unknown": ("没有这个专题。", "There is no such programme."),
    "learning.programme_not_open": ("专题尚未开放，暂不能报名。", "The programme is not open yet."),
    "learning.programme_closed": (
        "专题已结束，可以继续观看，但不再计入学时。",
        "The programme has closed: you may watch, but it no longer counts.",
    ),
    "learning.teachers_only": (
        "只有教师身份可以参加研修，请先切换身份。",
        "Only a teacher can enrol: switch your identity first.",
    ),
    "learning.profile_incomplete": (
        "请先完善个人信息：姓名、证件号码、学段、学科。",
        "Complete your profile first: name, identity document, segment and subject.",
    ),
    "learning.school_missing": ("请先选择学校或“其他”。", "Choose a school, or 其他 (other), first."),
    "learning.not_enrolled": ("请先报名再学习。", "Enrol in the programme before you study."),
    # study sessions
    "learning.activity_unknown": ("没有这个学习活动。", "There is no such activity."),
    "learning.course_not_open": ("课程尚未开放。", "The course is not open yet."),
    "learning.session_unknown": ("没有这个学习会话。", "There is no such study session."),
    "learning.session_elsewhere": (
        "您正在另一台设备上学习；如要在此继续，请确认接管。",
        "You are studying on another device; take over to continue here.",
    ),
    "learning.session_ended": (
        "该学习会话已结束，请重新开始播放。",
        "This study session has ended: start playing again.",
    ),
    "learning.presence_not_asked": (
        "还没有到在线确认的时间。",
        "Nobody has asked yet whether you are there.",
    ),
    # quizzes
    "learning.quiz_unknown": ("这个视频没有该问答。", "The video has no such quiz."),
    "learning.quiz_order": ("请先完成前面的问答。", "Answer the earlier quiz of this video first."),
    "learning.option_unknown": ("答案不在选项之内。", "The answer is not one of the options."),
    # exams
    "learning.exam_unknown": ("没有这场考试。", "There is no such exam."),
    "learning.exam_not_open": ("考试尚未开放。", "The exam is not open yet."),
    "learning.exam_closed": ("考试已经结束。", "The exam has closed."),
    "learning.exam_attempts_used": ("考试次数已用完。", "All attempts at this exam are used up."),
    "learning.exam_study_first": (
        "请先完成规定的课程学习，再参加考试。",
        "Study the courses that the exam requires first.",
    ),
    "learning.exam_elsewhere": (
        "您正在另一台设备上考试；如要在此继续，请确认接管。",
        "You are sitting this exam on another device; take over to continue here.",
    ),
    "learning.attempt_unknown": ("没有这次考试记录。", "There is no such attempt."),
    "learning.attempt_ended": ("本次考试已经交卷。", "This attempt has ended."),
    "learning.attempt_over": (
        "考试时间已到，已保存的答案将自动评分。",
        "The time is over; the answers saved before are judged.",
    ),
    "learning.question_not_drawn": ("本次考试没有这道题。", "This attempt has no such question."),
    "learning.one_answer_only": ("该题只能选择一个答案。", "This question takes one answer."),
    # study tools
    "learning.course_unknown": (
        "没有这门课程，或您没有报名。",
        "There is no such course, or you are not enrolled in it.",
    ),
    "learning.text_unknown": ("没有这条内容。", "There is no such text."),
    "learning.text_own": ("不能举报自己的内容。", "Nobody reports a text of their own."),
    "learning.text_hidden": ("该内容已被隐藏。", "The text has been hidden."),
    "learning.too_many_texts": (
        "您在本课程中的此类内容已达上限。",
        "You have as many of these in this course as one may have.",
    ),
    "learning.too_many_bookmarks": (
        "本课程的书签已达上限。",
        "You have as many bookmarks in this course as one may have.",
    ),
    "learning.material_unknown": ("没有这份资料。", "There is no such material."),
    "learning.materials_full": ("本课程的资料已达上限。", "The course has as many materials as it may have."),
    "learning.material_form": (
        "请上传 10 MB 以内的 PDF、JPEG 或 PNG 文件。",
        "Upload a PDF, JPEG or PNG file of at most 10 MB.",
    ),
    "learning.bookmark_unknown": ("没有这个书签。", "There is no such bookmark."),
    "learning.position_outside": ("位置不在视频之内。", "The position lies outside the video."),
    # reviews of conspicuous study
    "learning.review_unknown": ("没有这条学习核查记录。", "There is no such review of study."),
    "learning.review_state": ("该核查记录当前不能进行此操作。", "The review is not at a point where this can be done."),
    "learning.review_by_another": (
        "不能核查本人的记录；申诉须由另一人处理。",
        "Nobody decides about themselves, and an appeal goes to somebody else.",
    ),
    # study reports
    "learning.play_token_invalid": ("播放凭证无效。", "The play token is not valid."),
    "learning.play_token_expired": ("播放凭证已过期，请续期。", "The play token has expired: renew it."),
    "learning.receipt_invalid": ("回执与学习报告不符。", "The receipt does not belong to this report."),
    "learning.segments_empty": ("学习报告至少包含一个片段。", "A study report needs at least one segment."),
    "learning.segments_too_many": ("学习报告的片段过多。", "The study report has too many segments."),
    "learning.segment_backwards": ("片段的终点必须大于起点。", "A segment must end after it begins."),
    "learning.segment_outside": ("片段超出视频范围。", "A segment lies outside the video."),
    "learning.segments_overlap": ("同一报告中的片段不能重叠。", "Segments of one report must not overlap."),
    # reasons for time that does not count
    "learning.quiz_unanswered": ("视频中的问答尚未完成。", "The video's quiz is not answered yet."),
    "learning.rest_unwatched": ("问答之后的部分尚未看完。", "The part after the quiz is not fully watched."),
    "learning.outside_window": ("部分时间不在课程开放期内。", "Some of the time lies outside the course's window."),
    "learning.before_answer": (
        "部分时间是在回答问答之前观看的。",
        "Some of the part after a quiz was watched before the quiz was answered.",
    ),
    "learning.under_review": (
        "部分时间正在核查，暂不计入；可查看原因并申诉。",
        "Some of the time is under review and waits; you can see why, and appeal.",
    ),
}
