/** The reference client of `clients/js/study.js`, as this portal uses it. */
declare module "@clients/study.js" {
  export interface OpenedSession {
    study_session_id: string;
    activity_id: string;
    duration_seconds: number;
    silence_limit_seconds: number;
    answer_within_seconds: number;
    prompt_in_seconds: number | null;
    counts: boolean;
    reasons: string[];
    seen: [number, number][];
    countable: [number, number][];
    answered: string[];
  }

  export class RefusedError extends Error {
    status: number;
    code: string;
  }
  export class NotReachedError extends Error {}
  export class StudyEndedError extends Error {}

  export class StudyJournal {
    static all(storage: Storage): StudyJournal[];
    state: { session: OpenedSession };
    unconfirmed(): { segments: [number, number][] }[];
  }

  export class StudySession {
    opened: OpenedSession;
    answer(quizId: string, answers: string[]): Promise<{ right: boolean; attempts: number; answered_at: string | null; reasons: string[] }>;
    renew(): Promise<{ state: string; durable_seq: number }>;
    isDurable(): boolean;
  }

  export class StudyClient {
    clientId: string;
    constructor(options: { address?: string; accessToken: () => Promise<string>; storage: Storage; fetch?: typeof fetch });
    open(activityId: string, options?: { takeOver?: boolean }): Promise<StudySession>;
    recover(): Promise<number>;
  }

  export class PlayerReporter {
    constructor(
      session: StudySession,
      media: EventTarget & { seeking: boolean; currentTime: number; played: TimeRanges },
      page: Document,
      hooks: { onPrompt?: () => void; onEnded?: () => void; onRefused?: (error: RefusedError) => void },
    );
    start(): void;
    stop(): Promise<boolean>;
    now(): Promise<boolean>;
    confirmPresence(): Promise<void>;
  }
}
