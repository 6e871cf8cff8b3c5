import type { Problem } from "../../core/errors.ts";
import { beyondDeepEp } from "./deepep.ts";
import { beyondNvlink, type ExchangeChooser, type ExchangeOptions, type ExchangeSite } from "./exchange-options.ts";
import type { ExpertExchange } from "./expert-exchange.ts";

type Method = NonNullable<ExchangeOptions["forceAlltoallMethod"]>;

const exchanges = {
  NotEnabled: "allGatherReduceScatter",
  MNNVL: "nvlink",
  NVLinkOneSided: "nvlink",
  NVLinkTwoSided: "nvlink",
  DeepEP: "deepepNormal",
  DeepEPLowLatency: "deepepLowLatency",
} as const satisfies Record<Method, ExpertExchange>;

/**
 * What select_alltoall_method_type picks without being forced: kernels over NVLink where a rack is one domain, its devices
 * hold whole experts, and there are more of them than experts of a token; else none. DeepEP has to be allowed first.
 */
function defaultMethod({ expertRanks, topK, ranks, nvlinkDomain, devicesPerNode }: ExchangeSite): Method {
  const rack = nvlinkDomain > devicesPerNode && ranks <= nvlinkDomain;
  return rack && expertRanks === ranks && expertRanks > topK ? "NVLinkOneSided" : "NotEnabled";
}

/** DeepEP in TensorRT-LLM runs on 2, 4 or 8 devices of a node, or on 2, 4, 8 or 16 nodes of 8 (is_deepep_feasible). */
function infeasible(method: Method, site: ExchangeSite): Problem[] {
  const { ranks, devicesPerNode } = site;
  const nodes = ranks / 8;
  const feasible =
    ranks <= devicesPerNode ? [2, 4, 8].includes(ranks) : devicesPerNode === 8 && [2, 4, 8, 16].includes(nodes);
  if (feasible) {
    const modes = { normal: method === "DeepEP", lowLatency: method === "DeepEPLowLatency" };
    return beyondDeepEp("forceAlltoallMethod", method, modes, site);
  }
  const expected = `another one: DeepEP runs on 2, 4 or 8 devices of one node, or on 2, 4, 8 or 16 nodes of 8, here ${ranks} devices on nodes of ${devicesPerNode}`;
  return [{ at: "forceAlltoallMethod", expected, found: method }];
}

/** TensorRT-LLM: the environment variable `TRTLLM_FORCE_ALLTOALL_METHOD`. */
export const tensorrtLlmExchange: ExchangeChooser = {
  keys: ["forceAlltoallMethod"],
  choose({ forceAlltoallMethod }, site) {
    const method = forceAlltoallMethod ?? defaultMethod(site);
    const exchange = exchanges[method];
    return {
      key: "forceAlltoallMethod",
      problems: [
        ...(exchange === "nvlink" ? beyondNvlink("forceAlltoallMethod", method, site) : []),
        ...(method === "DeepEP" || method === "DeepEPLowLatency" ? infeasible(method, site) : []),
      ],
      words: `all-to-all method ${method}`,
      // Its normal mode does not run in captured graphs.
      features: {
        ...(forceAlltoallMethod === undefined && method === "NotEnabled" ? {} : { expertExchange: exchange }),
        ...(method === "DeepEP" ? { capturesGraphs: false } : {}),
      },
    };
  },
};
