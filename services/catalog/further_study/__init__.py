"""Degree and skills offers 专业发展 (F64): shown to the teachers of a place, who apply; their keeper accepts or rejects."""
