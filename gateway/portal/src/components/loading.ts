/** Reading from the server as a screen does: what came, what went wrong, and again. Nothing is kept beyond the screen. */
import { ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from "vue";
import { problemOf, type Problem } from "@/api/client";

export interface Loaded<T> {
  data: ShallowRef<T | undefined>;
  problem: ShallowRef<Problem | undefined>;
  busy: Ref<boolean>;
  reload: () => Promise<void>;
}

/** Loads now, and again whenever `on` changes; an answer that was overtaken by a newer question is dropped. */
export function useLoaded<T>(load: () => Promise<T>, on?: WatchSource<unknown>): Loaded<T> {
  const data = shallowRef<T>();
  const problem = shallowRef<Problem>();
  const busy = ref(false);
  let newest = 0;
  async function reload(): Promise<void> {
    newest += 1;
    const mine = newest;
    busy.value = true;
    try {
      const found = await load();
      if (mine !== newest) return;
      data.value = found;
      problem.value = undefined;
    } catch (error) {
      if (mine === newest) problem.value = problemOf(error);
    } finally {
      if (mine === newest) busy.value = false;
    }
  }
  if (on) watch(on, reload);
  void reload();
  return { data, problem, busy, reload };
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Paged<T> extends Omit<Loaded<Page<T>>, "data"> {
  items: ShallowRef<T[] | undefined>;
  hasMore: Ref<boolean>;
  more: () => Promise<void>;
}

/** A keyset list: the first page now and whenever `on` changes, further ones by `more`. */
export function usePages<T>(load: (cursor: string | undefined) => Promise<Page<T>>, on?: WatchSource<unknown>): Paged<T> {
  const items = shallowRef<T[]>();
  const hasMore = ref(false);
  let cursor: string | undefined;
  const first = useLoaded(() => load(undefined), on);
  // What `useLoaded` drops, because a newer question overtook it, begins no list either.
  watch(first.data, (page) => {
    if (!page) return;
    items.value = page.items;
    take(page);
  }, { flush: "sync" });
  function take(page: Page<T>): void {
    cursor = page.next_cursor ?? undefined;
    hasMore.value = cursor !== undefined;
  }
  async function more(): Promise<void> {
    const after = cursor;
    first.busy.value = true;
    try {
      const page = await load(after);
      // A filter that changed meanwhile has begun a new list.
      if (after !== cursor) return;
      items.value = [...(items.value ?? []), ...page.items];
      take(page);
    } catch (error) {
      first.problem.value = problemOf(error);
    } finally {
      first.busy.value = false;
    }
  }
  return { items, hasMore, more, problem: first.problem, busy: first.busy, reload: first.reload };
}

/** Doing one thing at a time: `run` tells whether it succeeded, `problem` why not. */
export function useDoing(): { busy: Ref<boolean>; problem: ShallowRef<Problem | undefined>; run: (act: () => Promise<unknown>) => Promise<boolean> } {
  const busy = ref(false);
  const problem = shallowRef<Problem>();
  async function run(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    problem.value = undefined;
    try {
      await act();
      return true;
    } catch (error) {
      problem.value = problemOf(error);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, problem, run };
}
