/** A list with filters: they stand in the address, and a changed one begins the list anew. */
import { reactive } from "vue";
import { useQuery } from "@/components/address";
import { usePages, type Page, type Paged } from "@/components/loading";

/** What a filter can be: one of these values, or any text. */
type Offered = Record<string, readonly string[] | "text">;
type Chosen<O extends Offered> = { [K in keyof O]?: O[K] extends readonly (infer V)[] ? V : string };
const PAGE = 50;

type Filters<O extends Offered> = { -readonly [K in keyof O]: string };

export interface Filtered<T, O extends Offered> extends Paged<T> {
  filters: Filters<O>;
}

/** `load` gets the chosen filters, without those that are empty or that the list does not know. */
export function useFiltered<T, const O extends Offered>(
  offered: O,
  load: (query: Chosen<O> & { cursor?: string; limit: number }) => Promise<Page<T>>,
): Filtered<T, O> {
  const filters = reactive(Object.fromEntries(Object.keys(offered).map((name) => [name, useQuery(name)]))) as unknown as Filters<O>;
  const pages = usePages(
    (cursor) => load({ ...chosen(offered, filters), cursor, limit: PAGE }),
    () => ({ ...filters }),
  );
  return { filters, ...pages };
}

export function chosen<O extends Offered>(offered: O, filters: Filters<O>): Chosen<O> {
  const known = Object.entries(offered).filter(([name, values]) => filters[name] && (values === "text" || values.includes(filters[name]!)));
  return Object.fromEntries(known.map(([name]) => [name, filters[name]])) as Chosen<O>;
}
