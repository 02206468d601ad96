import { nextTick, ref } from "vue";
import { expect, test } from "vitest";
import { usePages, type Page } from "@/components/loading";

test("an answer that comes after the answer to a newer question changes nothing", async () => {
  const filter = ref("all");
  const answers: Record<string, (page: Page<string>) => void> = {};
  const { items, hasMore, busy } = usePages(() => new Promise<Page<string>>((answer) => (answers[filter.value] = answer)), filter);
  filter.value = "refused";
  await nextTick();
  answers.refused!({ items: ["refused"], next_cursor: null });
  await nextTick();
  answers.all!({ items: ["created", "refused"], next_cursor: "on" });
  await nextTick();
  expect(items.value).toEqual(["refused"]);
  expect(hasMore.value).toBe(false);
  expect(busy.value).toBe(false);
});
