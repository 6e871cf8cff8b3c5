import { backendIds } from "../../capture/backends/backends.ts";
import { liveCaches } from "../../capture/live/residency.ts";
import { engineIds } from "../../engine/catalogue.ts";
import { expertMapFormatNames } from "../../engine/expert-maps/expert-map-formats.ts";
import { limitNames } from "../../forecast/baseline.ts";
import { pathMetrics } from "../../forecast/explain/path-metrics.ts";
import { deviceIds, systemIds } from "../../hardware/named-profiles.ts";
import { catalogue } from "../../models/catalogue.ts";
import { axes } from "../../offload/compare/axes.ts";
import { executors } from "../../plan/execute/executors.ts";
import { placements } from "../../policy/placement/placements.ts";
import { prefetchers } from "../../policy/prefetch/prefetchers.ts";
import { exporters } from "../../report/exporters.ts";
import { validationExporters } from "../../report/validation-exporters.ts";
import { milpSolvers } from "../../solver/milp-solvers.ts";
import { routingExporters } from "../../trace/export/routing-exporters.ts";
import { importers } from "../../trace/formats/importers.ts";
import { requestFormats } from "../../trace/requests/request-formats.ts";
import { publishedRouting } from "../../trace/synthesis/published-routing.ts";
import { livePrefetchers } from "../../validate/live/live-prefetch.ts";
import type { KnownValues } from "./command-tree.ts";

/** Formats, each with the sign behind which its path follows. */
const formats = (table: object): string[] => Object.keys(table).map((name) => `${name}=`);

const models = Object.keys(catalogue);
const profiles = [...deviceIds, ...systemIds, ...engineIds];
const backends = ["auto", ...backendIds];
const solvers = Object.keys(milpSolvers);

/** Values that commander does not know: names of the catalogues and of the families of policies and formats. */
export const knownValues: KnownValues = {
  "init --model": models,
  "init --hardware": [...systemIds, ...deviceIds],
  "init --engine": engineIds,
  "compare --metric": limitNames,
  "explain --metric": pathMetrics,
  "run --export": formats(exporters),
  "offload --vary": axes,
  "place --policy": Object.keys(placements),
  "place --format": expertMapFormatNames,
  "plan --system": systemIds,
  "plan --engine": engineIds,
  "sweep --executor": Object.keys(executors),
  "calibrate --profile": [...deviceIds, ...engineIds],
  "calibrate --backend": backends,
  "validate --backend": backends,
  "validate --cache": liveCaches,
  "validate --from": ["host", "disk"],
  "validate --prefetch": livePrefetchers,
  "validate --export": formats(validationExporters),
  "trace import --format": ["auto", ...Object.keys(importers)],
  "trace import --model": models,
  "trace inspect --format": ["auto", ...Object.keys(requestFormats)],
  "trace prefetch --prefetcher": Object.keys(prefetchers),
  "trace mix --solver": solvers,
  "trace convert --to": Object.keys(routingExporters),
  "trace synth --published": Object.keys(publishedRouting),
  "capture --backend": backends,
  "capture --setup": backendIds,
  "hardware show": profiles,
  "hardware show --model": models,
  "model show": models,
  "model mappings": models,
  "model mappings --system": systemIds,
  "model mappings --engine": engineIds,
  "model shape": models,
  "model bits --model": models,
  "model bits --solver": ["dp", ...solvers],
  "map inspect --model": models,
  "map inspect --format": ["auto", ...expertMapFormatNames],
  "map convert --model": models,
  "map convert --format": ["auto", ...expertMapFormatNames],
  "map convert --to": expertMapFormatNames,
  "map export --to": expertMapFormatNames,
};
