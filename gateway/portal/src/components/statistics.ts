/** The figures of a place. People are counted as such, study by programme; a screen shows both. */
import { api, ask, type Schemas } from "@/api/client";

export interface PlaceFigures {
  programmes: Schemas["ProgrammeSummary"][];
  /** The programme that was counted: the wanted one, else the newest. */
  shown: string | undefined;
  figures: Schemas["Statistics"];
}

export async function figuresOf(place: string, wanted = ""): Promise<PlaceFigures> {
  const at = { place };
  const [{ items: programmes }, people] = await Promise.all([
    ask(api.GET("/api/v1/programmes", { params: { query: { limit: 200 } } })),
    ask(api.GET("/api/v1/statistics", { params: { query: at } })),
  ]);
  const shown = wanted || newest(programmes)?.programme_id;
  const study = shown ? await ask(api.GET("/api/v1/statistics", { params: { query: { ...at, programme_id: shown } } })) : people;
  return { programmes, shown, figures: { ...study, registered: people.registered, verified: people.verified } };
}

/** The one that began last; while none has, the first that will. */
export function newest<P extends { state: string; opens_at: string }>(programmes: readonly P[]): P | undefined {
  const sorted = [...programmes].sort((a, b) => a.opens_at.localeCompare(b.opens_at));
  return sorted.filter((one) => one.state !== "PLANNED").at(-1) ?? sorted[0];
}
