/** Filters live in the address, so that a list can be kept, shared and gone back to. */
import { computed, type WritableComputedRef } from "vue";
import { useRoute, useRouter } from "vue-router";

/** One value of the query, "" where it is absent. */
export function useQuery(name: string): WritableComputedRef<string> {
  const route = useRoute();
  const router = useRouter();
  return computed({
    get: () => String(route.query[name] ?? ""),
    set: (value) => void router.replace({ query: { ...route.query, [name]: value || undefined } }),
  });
}
