/** The catalogue's kinds of courses, as filters offer them. */
export const HOUR_TYPES = ["PUBLIC", "PROFESSIONAL", "ELECTIVE", "PUBLIC_COMPULSORY", "PROFESSIONAL_CHOICE", "OWN_CHOICE", "SCHOOL_BASED"] as const;
export const COURSE_TYPES = ["REMOTE", "FACE_TO_FACE", "SCHOOL_BASED", "MICRO", "LIVE"] as const;
