import type { PlanDocument } from "../plan/answer/plan-document.ts";
import type { PageSection } from "./page.ts";

export const planFrontier = (_plan: PlanDocument): PageSection[] => [];
