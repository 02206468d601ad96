/**
 * Studying one video: opens the session, reports by the reference client, asks the quizzes at their points.
 *
 * The server judges and counts; what is here is what the teacher has to see: where they were, what is on its way, what
 * another device does, and which question stands open.
 */
import { NotReachedError, PlayerReporter, RefusedError, type StudySession } from "@clients/study.js";
import { computed, onBeforeUnmount, ref, shallowRef } from "vue";
import { Problem, type Schemas } from "@/api/client";
import { studyClient } from "@/study/player/client";
import { union, type Range } from "@/study/player/ranges";

export type Quiz = Schemas["Quiz"];
export type Standing = "closed" | "opening" | "live" | "elsewhere" | "taken-over";
type Player = Pick<HTMLMediaElement, "seeking" | "currentTime" | "played" | "pause"> & EventTarget;

export function useStudying(activityId: string, quizzes: readonly Quiz[]) {
  const client = studyClient();
  const standing = ref<Standing>("closed");
  const problem = shallowRef<Problem>();
  const offline = ref(!navigator.onLine);
  const waiting = ref(false);
  const prompted = ref(false);
  const quiz = shallowRef<Quiz>();
  const wrong = ref(false);
  const answered = ref(new Set<string>());
  const known = shallowRef<readonly Range[]>([]);
  const countable = shallowRef<readonly Range[]>([]);
  const here = shallowRef<readonly Range[]>([]);
  const counts = ref(true);
  const reasons = ref<string[]>([]);
  const seen = computed(() => union(known.value, here.value));
  let session: StudySession | undefined;
  let reporter: PlayerReporter | undefined;
  let player: Player | undefined;
  /** Where the stretch that is being played began. */
  let begun: number | undefined;

  /** Begin a session; the player stands still until it is open. */
  async function open(media: Player, takeOver = false): Promise<void> {
    if (standing.value === "opening" || standing.value === "live") return;
    player = media;
    standing.value = "opening";
    problem.value = undefined;
    try {
      session = await client.open(activityId, { takeOver });
    } catch (error) {
      media.pause();
      return refused(error);
    }
    const { opened } = session;
    known.value = union(known.value, opened.seen);
    countable.value = opened.countable;
    answered.value = new Set(opened.answered);
    counts.value = opened.counts;
    reasons.value = opened.reasons;
    reporter = new PlayerReporter(session, media, document, {
      onPrompt: () => {
        prompted.value = true;
      },
      onEnded: takenOver,
      onRefused: (error) => (isOver(error) ? takenOver() : refused(error)),
    });
    reporter.start();
    begun = media.currentTime;
    standing.value = "live";
  }

  function refused(error: unknown): void {
    standing.value = "closed";
    if (error instanceof NotReachedError) problem.value = new Problem(0, "portal.unreachable", "");
    else if (error instanceof RefusedError && error.code === "learning.session_elsewhere") standing.value = "elsewhere";
    else if (error instanceof RefusedError) problem.value = new Problem(error.status, error.code, error.message.replace(/^\d+ [\w.]*: /, ""));
    else throw error;
  }

  function takenOver(): void {
    player?.pause();
    // Its question belongs to the session that ended; it is asked again when playing comes to its point here.
    quiz.value = undefined;
    void close();
    standing.value = "taken-over";
  }

  function isOver(error: unknown): boolean {
    return error instanceof RefusedError && error.code === "learning.session_ended";
  }

  async function close(): Promise<void> {
    standing.value = "closed";
    begun = undefined;
    const last = reporter;
    reporter = undefined;
    await last?.stop();
  }

  /** The player plays and stands at `at`: paint it, and stop at a question that is still open. */
  function played(at: number): void {
    if (begun === undefined) return;
    if (at > begun) here.value = union(here.value, [[Math.ceil(begun), Math.floor(at)]]);
    const from = begun;
    const due = quizzes.find((one) => !answered.value.has(one.quiz_id) && from <= one.at_seconds && at >= one.at_seconds);
    if (due && standing.value === "live") ask(due);
  }

  /** Playing goes on elsewhere. */
  function sought(at: number): void {
    if (begun !== undefined) begun = at;
  }

  function ask(due: Quiz): void {
    player?.pause();
    // The player stops a little behind the question, and what is played before the answer does not count: back to it.
    if (player) player.currentTime = due.at_seconds;
    wrong.value = false;
    quiz.value = due;
  }

  async function answer(options: string[]): Promise<void> {
    if (!session || !quiz.value) return;
    waiting.value = true;
    problem.value = undefined;
    try {
      const judged = await session.answer(quiz.value.quiz_id, options);
      wrong.value = !judged.right;
      if (!judged.right) return;
      answered.value = new Set([...answered.value, quiz.value.quiz_id]);
      quiz.value = undefined;
    } catch (error) {
      // Still the same session and the same question: the teacher presses again when the network is back.
      const live = standing.value;
      if (isOver(error)) return takenOver();
      refused(error);
      if (error instanceof NotReachedError) standing.value = live;
    } finally {
      waiting.value = false;
    }
  }

  /** Report now, and ask whether this device still counts: the server takes reports of a session that was taken over, and counts nothing. */
  async function report(): Promise<void> {
    if (!session || !(await reporter?.now())) return;
    const renewed = await session.renew().catch((error: unknown) => {
      if (error instanceof NotReachedError) return undefined;
      throw error;
    });
    if (renewed && renewed.state !== "LIVE" && standing.value === "live") takenOver();
  }

  async function present(): Promise<void> {
    prompted.value = false;
    await reporter?.confirmPresence();
  }

  async function online(): Promise<void> {
    offline.value = !navigator.onLine;
    if (!offline.value) await reporter?.now();
  }

  globalThis.addEventListener("online", online);
  globalThis.addEventListener("offline", online);
  // Before the player goes: the last second is read from it.
  onBeforeUnmount(() => {
    globalThis.removeEventListener("online", online);
    globalThis.removeEventListener("offline", online);
    void close();
  });

  return {
    standing, problem, offline, waiting, prompted, quiz, wrong, answered, known, countable, seen, counts, reasons,
    open, close, played, sought, answer, present, report,
  };
}
