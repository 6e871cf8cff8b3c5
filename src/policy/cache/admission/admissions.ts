import type { Admission } from "./admission.ts";
import { always } from "./always.ts";
import { fitting } from "./fitting.ts";
import { reused } from "./reused.ts";

/** Admissions of experts to a cache by the name a scenario uses. */
export const admissions = { always, fitting, reused } as const satisfies Record<string, Admission>;

export type AdmissionName = keyof typeof admissions;
