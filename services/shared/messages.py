"""Texts of the codes that belong to no single service, in Chinese and English; each service's own stand in its contract."""

from __future__ import annotations

ERRORS: dict[str, tuple[str, str]] = {
    # Form of the request
    "shared.invalid": ("请求中有内容不符合要求。", "Something in the request is not as it must be."),
    "shared.required": ("缺少必填项。", "A required value is missing."),
    "shared.unknown_field": ("不认识的字段。", "Unknown field."),
    "shared.wrong_type": ("类型不正确。", "Wrong type."),
    "shared.out_of_range": ("数值或长度超出范围。", "The value or its length is out of range."),
    "shared.not_a_choice": ("不在可选范围内。", "Not one of the choices."),
    "shared.json_syntax": ("请求体不是合法的 JSON。", "The body is not valid JSON."),
    "shared.json_encoding": ("请求体不是合法的 UTF-8。", "The body is not valid UTF-8."),
    "shared.json_not_object": ("请求体必须是一个 JSON 对象。", "The body must be a JSON object."),
    "shared.json_duplicate_key": ("JSON 对象中有重复的键。", "A JSON object names the same key twice."),
    "shared.json_number": ("数字过大或不是有限数。", "A number is too large or not finite."),
    "shared.json_too_deep": ("JSON 嵌套过深或元素过多。", "The JSON is nested too deeply or has too many elements."),
    "shared.json_text": ("文本含有不允许的字符。", "A text holds characters that are not allowed."),
    "shared.json_reserved_key": ("键名为系统保留。", "This key is reserved."),
    "shared.body_not_taken": ("此操作不接受请求体。", "This operation takes no body."),
    "shared.bad_multipart": ("表单数据不完整或过多。", "The form data is incomplete or has too many parts."),
    "shared.bad_query": ("查询参数不符合要求。", "The query string is not as it must be."),
    "shared.repeated_parameter": ("查询参数重复。", "A query parameter is given twice."),
    "shared.bad_path": ("地址中含有不允许的字符。", "The address holds characters that are not allowed."),
    "shared.bad_header": ("请求头不符合要求。", "A request header is not as it must be."),
    "shared.bad_cursor": ("分页游标无效。", "The cursor is not one of ours."),
    "shared.too_large": ("请求体过大。", "The request is too large."),
    "shared.unsupported_media_type": ("不支持的内容类型。", "This content type is not accepted here."),
    "shared.not_acceptable": ("无法提供所要求的格式。", "The asked-for format is not available."),
    "shared.method_not_allowed": ("此地址不支持该方法。", "This address does not take that method."),
    "shared.bad_request": ("请求无法理解。", "The request cannot be understood."),
    # Who and whether
    "shared.sign_in_first": ("请先登录。", "Sign in first."),
    "shared.token_invalid": ("登录凭证无效，请重新登录。", "The access token is not valid; sign in again."),
    "shared.token_expired": ("登录已过期，请刷新或重新登录。", "The access token has expired; refresh it or sign in again."),
    "shared.token_revoked": ("登录已失效，请重新登录。", "This sign-in has been ended; sign in again."),
    "shared.bad_actor_token": ("系统内部凭证无效。", "An internal token was refused."),
    "shared.not_allowed": ("没有权限进行此操作。", "You may not do this."),
    "shared.not_found": ("没有找到。", "Not found."),
    # State and capacity
    "shared.conflict": ("当前状态不允许此操作。", "The present state does not allow this."),
    "shared.key_reused": (
        "同一个 Idempotency-Key 已用于不同内容的请求。",
        "This Idempotency-Key was already used for a different request.",
    ),
    "shared.in_progress": ("相同的请求正在处理。", "The same request is still being worked on."),
    "shared.limit_reached": ("操作过于频繁，请稍后再试。", "Too many requests; try again later."),
    "shared.deadline": ("处理超时，结果未知；请用同一个 Idempotency-Key 重试。",
                        "No answer in time; the outcome is unknown. Repeat with the same Idempotency-Key."),
    "shared.unavailable": ("服务暂不可用，请稍后再试。", "Not available now; try again later."),
    "shared.unknown": ("服务暂不可用，请稍后再试。", "Not available now; try again later."),
    "shared.defect": ("系统内部错误。请提供编号以便查询。", "An internal error. Quote the call id when you report it."),
}
