/** What is printed for Prometheus can be read back, whatever stands in names; and what could not be read is found. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prometheusText, type Metric } from "../../src/index.ts";
import { readExposition } from "./exposition.ts";

const metric = (over: Partial<Metric>): Metric => ({ name: "errand_jobs", kind: "gauge", help: "Jobs.", samples: [{ labels: {}, value: 1 }], ...over });
const head = "# HELP a_b Ab.\n# TYPE a_b gauge\n";

describe("prometheusText", () => {
  it("prints HELP, TYPE and samples, in that order, a line each", () => {
    const samples = [
      { labels: { queue: "mail", state: "ready" }, value: 2 },
      { labels: { queue: "mail", state: "dead" }, value: 0.5 },
    ];
    assert.equal(
      prometheusText([metric({ samples })]),
      '# HELP errand_jobs Jobs.\n# TYPE errand_jobs gauge\nerrand_jobs{queue="mail",state="ready"} 2\nerrand_jobs{queue="mail",state="dead"} 0.5\n',
    );
  });

  it("labels and help survive backslashes, quotes and line ends", () => {
    const nasty = 'a\\n"b"\nc\\';
    const read = readExposition(prometheusText([metric({ help: nasty, samples: [{ labels: { task: nasty }, value: 1 }] })])).get("errand_jobs");
    assert.deepEqual([read?.help, [...(read?.samples ?? [])]], [nasty, [[`task=${nasty}`, 1]]]);
  });

  it("values may be large, small, infinite or none", () => {
    const values = [0, -1.5, 1e21, 1e-9, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    const samples = values.map((value, at) => ({ labels: { at: String(at) }, value }));
    assert.deepEqual(
      [
        ...(readExposition(prometheusText([metric({ samples })]))
          .get("errand_jobs")
          ?.samples.values() ?? []),
      ],
      values,
    );
  });

  it("metrics of the same name, as of two brokers, are one family; one without samples is not printed", () => {
    const of = (shop: string): Metric => metric({ samples: [{ labels: { shop }, value: 1 }] });
    const text = prometheusText([of("a"), metric({ name: "errand_leads", samples: [] }), metric({ name: "errand_paused" }), of("b")]);
    assert.deepEqual([...readExposition(text).keys()], ["errand_jobs", "errand_paused"]);
    assert.equal(prometheusText([]), "");
  });
});

describe("a text is not taken for an exposition where", () => {
  const rows: readonly (readonly [what: string, text: string, says: RegExp])[] = [
    ["the last line does not end", `${head}a_b 1`, /does not end/],
    ["TYPE is missing", "# HELP a_b Ab.\na_b 1\n", /lacks/],
    ["TYPE comes after a sample", "# HELP a_b Ab.\na_b 1\n# TYPE a_b gauge\n", /late/],
    ["TYPE comes twice", `${head}# TYPE a_b gauge\na_b 1\n`, /twice/],
    ["HELP comes after TYPE", "# TYPE a_b gauge\n# HELP a_b Ab.\na_b 1\n", /late/],
    ["a family is torn apart", `${head}a_b 1\n${head.replaceAll("a_b", "c")}c 1\na_b{x="1"} 1\n`, /together/],
    ["a series comes twice", `${head}a_b{x="1",y="2"} 1\na_b{y="2",x="1"} 2\n`, /second sample/],
    ["a label comes twice", `${head}a_b{x="1",x="2"} 1\n`, /comes twice/],
    ["a label is not quoted", `${head}a_b{x=1} 1\n`, /no label/],
    ["a quote is not escaped", `${head}a_b{x="1"2"} 1\n`, /no label/],
    ["an escape is none", `${head}a_b{x="\\t"} 1\n`, /no escape/],
    ["a value is none", `${head}a_b{x="1"} Infinity\n`, /no value/],
    ["a name is none", "# HELP a-b Ab.\n# TYPE a-b gauge\na-b 1\n", /no metric name/],
    ["a counter does not say so", "# HELP a_b Ab.\n# TYPE a_b counter\na_b 1\n", /_total/],
    ["samples have different labels", `${head}a_b{x="1"} 1\na_b{y="1"} 1\n`, /different labels/],
  ];
  for (const [what, text, says] of rows) it(what, () => assert.throws(() => readExposition(text), says));
});
