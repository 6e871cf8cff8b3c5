import { replicaDraft } from "../layouts.ts";
import { azureLengths } from "../lengths.ts";
import type { Template } from "../template.ts";

const contextTokens = 8192;

/** Folder of the scenarios that a pipeline runs. */
const folder = "deployments";

/** A suite for CI: a scenario with objectives, a workflow that runs it, and how to keep a baseline. */
export const ci: Template = {
  title: "CI suite: a scenario with objectives, a GitHub Actions workflow, a baseline",
  question: "Does a change of the deployment break its objectives, or make a metric worse than the baseline allows?",
  next: [
    ["--threshold 'ttft: p(99)<2s'", "a further objective"],
    ["--max-regress 3%,e2e.p99=40%", "how much worse than the baseline a metric may be"],
  ],
  defaults: { model: "gpt-oss-20b", system: "h100-sxm-8", name: "chat" },
  engines: ["vllm", "sglang", "tensorrt-llm", "llama.cpp"],
  requests: 1080,
  contextTokens,
  defaultLoad: "found",
  lengths: azureLengths,
  routing: "{ kind: uniform }",
  limits: { percentile: 95, ttftMs: 1000, tpotMs: 50 },
  draft: (site, probe) => replicaDraft(site, probe, contextTokens),
  folder,
  isDependency: true,
  beside: (path) => [
    { path: ".github/workflows/moecast.yml", text: workflow },
    { path: `${folder}/README.md`, text: readme(path) },
  ],
  first: (path) => ["run", path, "--summary", "compact", "--export", `json=${baselineOf(path)}`],
};

/** The baseline beside a scenario. */
const baselineOf = (path: string): string => path.replace(/[^/\\]*$/, "baseline.json");

const readme = (path: string): string => `# Forecasts in CI

\`.github/workflows/moecast.yml\` runs every scenario of this folder on pull requests and on main. The job fails (exit code 99) when an
objective fails, or when a metric is worse than \`baseline.json\` allows: 5 % by default.

Write the baseline, and commit it:

    npx moecast run ${folder}/*.yaml --summary compact --export json=${baselineOf(path)}

Write it anew, in the same pull request, when a change for the worse is accepted or moecast itself is updated. The same inputs give the same
bytes on every machine, so it may be written anywhere.

The workflow needs moecast among the dependencies of package.json (npm install --save-dev moecast, or the file of npm pack), and both
package.json and package-lock.json committed.
`;

const workflow = `name: moecast
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  forecast:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-node@v5
        with:
          node-version: 22
          cache: npm
      - run: npm ci
      - name: Forecast the deployments
        run: |
          mkdir -p reports
          npx moecast run ${folder}/*.yaml --summary compact \\
            --baseline ${folder}/baseline.json --max-regress 5% \\
            --export "github=$GITHUB_STEP_SUMMARY" \\
            --export junit=reports/moecast.xml --export json=reports/result.json
      - uses: actions/upload-artifact@v5
        if: always()
        with:
          name: moecast
          path: reports/
`;
