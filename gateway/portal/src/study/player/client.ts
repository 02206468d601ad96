/** This device's study client: the reference client with the portal's sign-in. */
import { StudyClient, StudyJournal } from "@clients/study.js";
import { accessToken } from "@/api/sign-in";
import { language } from "@/i18n";
import { union, type Range } from "@/study/player/ranges";

let lastToken = "";

export function studyClient(): StudyClient {
  return new StudyClient({
    // Asked again only after the server refused the token it gave before.
    accessToken: async () => (lastToken = await accessToken(lastToken)),
    storage: localStorage,
    fetch: (address, options) => {
      const headers = new Headers(options?.headers);
      headers.set("Accept-Language", language.value);
      return fetch(address, { ...options, headers });
    },
  });
}

/** Seconds of this video that this device has reported and that the server does not count yet: accepted reports wait for their turn. */
export function onTheWay(activityId: string, storage: Storage = localStorage): Range[] {
  const journals = StudyJournal.all(storage).filter((journal) => journal.state.session.activity_id === activityId);
  return union(...journals.flatMap((journal) => journal.unconfirmed().map((report) => report.segments)));
}
