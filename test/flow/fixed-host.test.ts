// Which expressions of a url could choose its host, for all that the flow file says.

import { expect, test } from "vitest";
import { choosers } from "../../src/flow/fixed-host.js";

const context = {
  type: "object",
  properties: {
    host: { type: "string" },
    region: { type: "string", enum: ["eu", "us"] },
    only: { const: "a.example" },
    name: { type: "string", format: "hostname", pattern: "^a" },
    port: { type: "integer" },
    deep: { type: "object", properties: { host: { enum: ["a.example"] } } },
  },
};

const table: [url: string, open: string[]][] = [
  ["https://a.example/x", []],
  ["https://a.example/${{ context.host }}", []],
  ["https://a.example?at=${{ context.host }}", []],
  ["https://a.example//${{ context.host }}", []],
  ["${{ secrets.HOOK }}", []],
  ["${{ secrets.BASE }}/${{ context.host }}", []],
  ["https://${{ secrets.TENANT }}.example/${{ context.host }}", []],
  ["https://${{ context.region }}.example/${{ context.host }}", []],
  ["https://${{ context.only }}/", []],
  ["https://${{context.deep.host}}/", []],
  ["https://${{ context.host }}/", ["context.host"]],
  ["https://${{ context.name }}/", ["context.name"]],
  ["https://a.example:${{ context.port }}/", ["context.port"]],
  ["https://a.example${{ context.host }}/", ["context.host"]],
  ["https://me@${{ context.host }}/", ["context.host"]],
  ["https://a.example\\${{ context.host }}", ["context.host"]],
  ["http:///${{ context.host }}/", ["context.host"]],
  ["http://\\/${{ context.host }}/", ["context.host"]],
  ["http://\t/${{ context.host }}/", ["context.host"]],
  ["${{ context.host }}", ["context.host"]],
  ["${{ steps.a.output.body.next }}", ["steps.a.output.body.next"]],
  ["${{ secrets.BASE }}${{ context.host }}", ["context.host"]],
  ["${{ secrets.SCHEME }}://${{ context.host }}/", ["context.host"]],
  ["${{ secrets.SCHEME }}//${{ context.host }}/", ["context.host"]],
  ["https://${{ context.region + context.host }}/", ["context.region + context.host"]],
  ["https://${{ context.toString }}/", ["context.toString"]],
  ["https://${{ run.id }}.example/", ["run.id"]],
];

test.each(table)("given the url %j, then its host is chosen by %j", (url, open) => {
  expect(choosers(url, context).map(({ text }) => text.trim())).toEqual(open);
});

test("given no schema of the context, then nothing bounds it", () => {
  expect(choosers("https://${{ context.region }}/", undefined)).toHaveLength(1);
});
