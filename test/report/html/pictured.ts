import type { RunPicture } from "../../../src/forecast/picture/run-picture.ts";

/** A small picture with something in every part of it. */
export const pictured = (): RunPicture => ({
  latency: {
    shares: [0, 0.5, 0.9, 0.99, 1],
    ms: { ttft: [50, 90, 150, 250, 300], tpot: [5, 9, 15, 25, 30], e2e: [500, 900, 1500, 2500, 3000] },
  },
  experts: [
    {
      pool: "",
      layers: 2,
      experts: 4,
      ranks: 2,
      layersPerRow: 1,
      expertsPerColumn: 1,
      ranksPerColumn: 1,
      byExpert: ["50 150 100 100", "400 0 0 0"],
      byRank: ["100 100", "150 50"],
    },
  ],
  caches: [
    {
      pool: "",
      scope: "layer",
      policy: "lfu",
      slots: 2,
      accesses: 1000,
      sizes: [1, 2, 3, 4],
      lru: [0.3, 0.6, 0.8, 0.99],
      bestStatic: [0.35, 0.55, 0.75, 0.99],
      belady: [0.45, 0.7, 0.85, 0.99],
      ofPolicy: [0.32, 0.61, 0.8, 0.99],
    },
  ],
});
