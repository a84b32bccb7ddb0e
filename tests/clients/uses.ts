import type { components, operations, paths } from "./api";

type Run = components["schemas"]["RunResponse"];
type Page = paths["/api/runs"]["get"]["responses"][200]["content"]["application/json"];
type Problem = components["schemas"]["Problem"];
type Schedule = components["schemas"]["ScheduleBody"];

/** Every status has a colour: a new one does not compile until it has. */
const colours: Record<Run["status"], string> = {
  queued: "grey",
  preparing: "blue",
  running: "blue",
  waiting: "grey",
  succeeded: "green",
  failed: "red",
  cancelled: "grey",
  rejected: "red",
};

export function lines(page: Page): string[] {
  return page.items.map((run) => {
    const outcome: string = run.outcome ?? run.status;
    const started: string | null = run.started_at;
    return [run.id, colours[run.status], outcome, started ?? "", run.trigger].join(" ");
  });
}

export function words(problem: Problem): string {
  return [problem.detail, ...(problem.errors ?? []).map((one) => one.pointer ?? one.parameter ?? "")].join("; ");
}

export const nightly: Schedule = { cron: "0 6 * * 1-5", timezone: "Europe/Berlin" };

// @ts-expect-error a status that there is not
export const wrong: Run["status"] = "done";

export type Refused = operations["ApiRunsList"]["responses"][400]["content"]["application/problem+json"];
export const refused = (problem: Refused): string => words(problem);
