"""Refusals and reasons of learning: code -> (Chinese, English)."""

from __future__ import annotations

ERRORS: dict[str, tuple[str, str]] = {
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
