// Where requests may go: addresses in every spelling, answers of the name service, and the peer.

import { describe, expect, onTestFinished, test } from "vitest";
import { ConnectorError } from "../../../src/engine/ports.js";
import {
  DEFAULT_EGRESS,
  type EgressPolicy,
  type Lookup,
  reachOf,
} from "../../../src/hosts/local/egress.js";
import { createIo } from "../../../src/hosts/local/io.js";
import { startReceiver } from "../../connectors/receiver.js";

describe("given an address, when its reach is asked for, then it is", () => {
  const table: [address: string, reach: string][] = [
    ["1.1.1.1", "public"],
    ["169.253.255.255", "public"],
    ["2606:4700:4700::1111", "public"],
    ["::ffff:8.8.8.8", "public"],
    ["64:ff9b::808:808", "public"],
    ["2002:0808:0808::", "public"],
    ["127.0.0.1", "private"],
    ["127.255.0.3", "private"],
    ["10.0.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["::1", "private"],
    ["fd12:3456::1", "private"],
    ["::ffff:127.0.0.1", "private"],
    ["::ffff:7f00:1", "private"],
    ["0:0:0:0:0:ffff:10.0.0.1", "private"],
    ["0.0.0.0", "forbidden"],
    ["0.1.2.3", "forbidden"],
    ["169.254.169.254", "forbidden"],
    ["169.254.0.1", "forbidden"],
    ["100.100.100.200", "forbidden"],
    ["224.0.0.251", "forbidden"],
    ["255.255.255.255", "forbidden"],
    ["::", "forbidden"],
    ["fe80::1", "forbidden"],
    ["fe80::1%lo", "forbidden"],
    ["ff02::1", "forbidden"],
    ["fd00:ec2::254", "forbidden"],
    ["::ffff:169.254.169.254", "forbidden"],
    ["::ffff:a9fe:a9fe", "forbidden"],
    ["::169.254.169.254", "forbidden"],
    ["64:ff9b::a9fe:a9fe", "forbidden"],
    ["2002:a9fe:a9fe::1", "forbidden"],
    ["2001:0:1::1", "forbidden"],
    ["", "forbidden"],
    ["localhost", "forbidden"],
  ];
  test.each(table)("%s: %s", (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });
});

describe("given the default policy, when a request names a metadata address", () => {
  test.each([
    "169.254.169.254",
    "169.254.169.254.",
    "169.254.43518",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "2852039166",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[64:ff9b::169.254.169.254]",
    "[fe80::1]",
    "[ff02::1]",
    "[FD00:EC2:0:0::254]",
    "[fd00:0ec2:0000:0000:0000:0000:0000:0254]",
    "[::ffff:0.0.0.0]",
    "[::]",
    "0xa9fea9fe",
    "0XA9FEA9FE",
    "025177524776",
    "169.16689662",
    "0xa9.254.0251.0xfe",
    "0251.0376.0000251.00000376",
    "169%2e254%2e169%2e254",
    "169\u3002254\uff0e169\uff61254",
    "\uff11\uff16\uff19.254.169.254",
    "\u2460\u2465\u2468.254.169.254",
    "169.254.169.254:80",
    "1684301000",
    "100.100.100.200.",
    "0x64.0x64.0x64.0xc8",
    "[::ffff:100.100.100.200]",
    "224.0.0.1",
    "0xe0000001",
    "0.0.0.0",
    "0x0",
    "00",
    "0",
  ])("spelled %s, then it is refused", async (host) => {
    const error = await refused(`http://${host}/latest/meta-data/`);
    expect(error.failure.kind).toBe("egress");
    expect(error.failure.message).toContain("which workflows may not call");
  });
});

test("when a user name stands before a metadata address, then it is refused", async () => {
  const error = await refused("http://service.example@169.254.169.254/");
  expect(error.failure.message).toContain("holds a user name");
});

describe("given a name that answers well first, when its answer turns to", () => {
  test.each(["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1"])(
    "%s, then the second call is refused",
    async (address) => {
      const { port, received } = await startReceiver((response) => response.end("here"));
      // No test calls the internet: first, the name may lead here, and then it may not.
      const answers = [["127.0.0.1"], [address]];
      const lookup: Lookup = (...args) => answering(...(answers.shift() ?? []))(...args);
      const policy = { literal_private: true, private_names: ["turning.example"] };
      const io = createIo(policy, lookup);
      onTestFinished(() => io.close());
      const call = () => {
        const { signal } = new AbortController();
        const headers = { connection: "close" };
        const url = `http://turning.example:${port}/`;
        return io.http({ method: "GET", url, headers, max_response_bytes: 9, signal });
      };
      expect((await call()).body).toBe("here");
      policy.private_names = [];
      await expect(call()).rejects.toMatchObject({ failure: { kind: "egress" } });
      expect(received).toHaveLength(1);
      expect(answers).toEqual([]);
    },
  );
});

describe("given a server on loopback", () => {
  test.each(["127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001"])(
    "when its address stands in the url as %s, then it is called",
    async (host) => {
      const { port } = await startReceiver((response) => response.end("here"));
      expect(await request(`http://${host}:${port}/`)).toMatchObject({ status: 200, body: "here" });
    },
  );

  test("when it is called localhost, in any spelling, then it is called", async () => {
    const { port } = await startReceiver((response) => response.end("here"));
    const lookup = answering("127.0.0.1");
    for (const host of ["localhost", "LOCALHOST", "localhost."]) {
      const answer = await request(`http://${host}:${port}/`, DEFAULT_EGRESS, lookup);
      expect(answer.body).toBe("here");
    }
  });

  test("when another name leads to it, then it is refused, with a way out", async () => {
    const { port, received } = await startReceiver((response) => response.end());
    const error = await refused(
      `http://rebind.example:${port}/`,
      DEFAULT_EGRESS,
      answering("127.0.0.1"),
    );
    expect(error.failure.message).toContain("rebind.example (127.0.0.1) is a name that leads to");
    expect(error.failure.message).toContain("write the address itself");
    expect(received).toEqual([]);
  });

  test("when one of several answers is bad, then all are refused", async () => {
    const lookup = answering("1.1.1.1", "169.254.169.254", "1.0.0.1");
    const error = await refused("http://mixed.example/", DEFAULT_EGRESS, lookup);
    expect(error.failure.message).toContain("mixed.example (169.254.169.254)");
  });

  test("when even localhost leads to a metadata address, then it is refused", async () => {
    const error = await refused("http://localhost/", DEFAULT_EGRESS, answering("169.254.169.254"));
    expect(error.failure.kind).toBe("egress");
  });

  test("when the policy allows no private literals, then it is refused", async () => {
    const policy = { ...DEFAULT_EGRESS, literal_private: false };
    const error = await refused("http://127.0.0.1:9/", policy);
    expect(error.failure.message).toContain("which is not allowed here");
  });

  test("when only the connected peer turns out to be forbidden, then nothing is sent", async () => {
    const { port, received } = await startReceiver((response) => response.end());
    let asked = 0;
    const policy: EgressPolicy = {
      private_names: [],
      get literal_private() {
        asked += 1;
        return asked === 1;
      },
    };
    const error = await refused(`http://127.0.0.1:${port}/`, policy);
    expect(error.failure.kind).toBe("egress");
    expect(asked).toBe(2);
    expect(received).toEqual([]);
  });
});

describe("given a name service, when it", () => {
  test("knows no such name, then the failure says so", async () => {
    const lookup: Lookup = (_name, _options, callback) => callback(coded("ENOTFOUND"), []);
    const error = await refused("http://nowhere.example/", DEFAULT_EGRESS, lookup);
    expect(error.failure.message).toBe(
      "nowhere.example is an unknown name: no address was found for it (ENOTFOUND)",
    );
  });

  test("does not answer, then the failure says so", async () => {
    const lookup: Lookup = (_name, _options, callback) => callback(coded("EAI_AGAIN"), []);
    const error = await refused("http://nowhere.example/", DEFAULT_EGRESS, lookup);
    expect(error.failure.message).toContain("could not be looked up");
  });

  test("answers with nothing, then that is an unknown name", async () => {
    const error = await refused("http://nowhere.example/", DEFAULT_EGRESS, answering());
    expect(error.failure.message).toContain("nowhere.example is an unknown name");
  });
});

describe("given a listed name that leads to loopback", () => {
  const listed = { literal_private: true, private_names: ["localhost", "inside.example"] };
  const lookup = answering("127.0.0.1");

  test("when a redirect of another host leads to it, then it is not called", async () => {
    const inside = await startReceiver((response) => response.end("here"));
    const location = `http://inside.example:${inside.port}/`;
    const other = await startReceiver((response) => response.writeHead(302, { location }).end());
    const answer = follow(other.url, listed, lookup);
    await expect(answer).rejects.toThrow(
      /a loopback or private address: .* address itself in url$/,
    );
    expect(inside.received).toEqual([]);
  });

  test("when it redirects to itself, on any port, then that is followed", async () => {
    const next = await startReceiver((response) => response.end("there"));
    const location = `http://inside.example:${next.port}/`;
    const first = await startReceiver((response) => response.writeHead(302, { location }).end());
    const answer = await follow(`http://inside.example:${first.port}/`, listed, lookup);
    expect(answer.body).toBe("there");
  });
});

async function follow(url: string, policy: EgressPolicy, lookup: Lookup) {
  const io = createIo(policy, lookup);
  onTestFinished(() => io.close());
  const { signal } = new AbortController();
  const redirects = { expect: [], secret_headers: [], secret_body: false };
  const bounds = { max_response_bytes: 1_000, signal };
  return io.http({ method: "GET", url, headers: {}, redirects, ...bounds });
}

async function request(url: string, policy?: EgressPolicy, lookup?: Lookup) {
  const io = createIo(policy, lookup);
  onTestFinished(() => io.close());
  const signal = new AbortController().signal;
  return io.http({ method: "POST", url, headers: {}, max_response_bytes: 1_000, signal });
}

async function refused(url: string, policy?: EgressPolicy, lookup?: Lookup) {
  const error = await request(url, policy, lookup).catch((caught: unknown) => caught);
  if (error instanceof ConnectorError) return error;
  throw new Error(`not refused: ${JSON.stringify(error)}`);
}

function answering(...addresses: string[]): Lookup {
  const answers = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  return (_name, _options, callback) => callback(null, answers);
}

function coded(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
