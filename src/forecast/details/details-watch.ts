import { giveWay } from "../../files/cooperative.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import type { RunWatch } from "../forecast-scenario.ts";
import { detailsOf, type RunDetails } from "./run-details.ts";

/** Keeps hold of a run, for its details at the end. */
export class DetailsWatch implements RunWatch {
  private run: RunView | null = null;

  onBatch(run: RunView): void {
    this.run = run;
  }

  giveWay(): Promise<void> {
    return giveWay();
  }

  /** Once the forecast is there. */
  details(): RunDetails {
    return detailsOf(this.run!);
  }
}
