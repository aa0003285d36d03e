import assert from "node:assert/strict";
import { WeirError } from "../../../errors.ts";
import { type CatalogCall, RestCatalogServer } from "../../../testing/rest_catalog_server.ts";
import { clientCredential, type RestCredentials } from "./authorization.ts";
import { RestCatalog } from "./rest_catalog.ts";

const secret = "a-very-secret-word";
const client = { kind: "client", ...clientCredential(`weir:${secret}`), scope: "catalog" } as const;

function catalogOf(
  server: RestCatalogServer,
  credentials: RestCredentials = { kind: "none" },
  timeoutMs = 60_000,
): RestCatalog {
  return new RestCatalog({ uri: `${server.uri}/`, credentials, timeoutMs, firstWaitMs: 1 });
}

const question = { method: "GET", path: "v1/namespaces/bank", purpose: "look up namespace bank" } as const;
const isToken = ({ path }: CatalogCall) => path === "/v1/oauth/tokens";

Deno.test("a token is fetched once for many requests, and sent with each", async () => {
  await using server = new RestCatalogServer();
  server.behaviour.secret = secret;
  const catalog = catalogOf(server, client);
  await Promise.all([1, 2, 3].map(() => catalog.ensureNamespace("bank")));
  const [asked, ...others] = server.calls.filter(isToken);
  assert.deepEqual(others, []);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(asked!.body)), {
    grant_type: "client_credentials",
    client_id: "weir",
    client_secret: secret,
    scope: "catalog",
  });
  const used = new Set(
    server.calls.filter((call) => !isToken(call)).map(({ headers }) => headers.get("authorization")),
  );
  assert.equal(used.size, 1);
});

Deno.test("a token that is about to expire is renewed before it is refused", async () => {
  await using server = new RestCatalogServer();
  server.behaviour.secret = secret;
  server.behaviour.tokenSeconds = 0.5;
  const catalog = catalogOf(server, client);
  await catalog.connect();
  await catalog.client.send(question);
  assert.equal(server.calls.filter(isToken).length, 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
  delete server.behaviour.tokenSeconds;
  const asked = server.calls.length;
  const answers = await Promise.all([1, 2].map(() => catalog.client.send(question)));
  assert.deepEqual(answers.map(({ status }) => status), [404, 404]);
  assert.deepEqual(server.calls.slice(asked).map(isToken), [true, false, false]);
});

Deno.test("a token that is refused is renewed once, and the request sent again", async () => {
  await using server = new RestCatalogServer();
  server.behaviour.secret = secret;
  const catalog = catalogOf(server, client);
  await catalog.connect();
  server.revokeTokens();
  assert.equal((await catalog.client.send(question)).status, 404);
  assert.equal(server.calls.filter(isToken).length, 2);
  // A catalog that refuses every token is believed the second time.
  server.plan = (call) => isToken(call) ? undefined : { status: 401 };
  assert.equal((await catalog.client.send(question)).status, 401);
  assert.equal(server.calls.filter(isToken).length, 3);
});

Deno.test("a given token is sent as it is, and not tried again where it is refused", async () => {
  await using server = new RestCatalogServer();
  server.behaviour.secret = secret;
  await assert.rejects(catalogOf(server, { kind: "token", token: "given" }).connect(), {
    kind: "authentication",
    message: "The Iceberg catalog refused to tell its configuration (HTTP 401, NotAuthorizedException: Not authorized)",
  });
  assert.deepEqual(server.calls.map(({ headers }) => headers.get("authorization")), ["Bearer given"]);
});

Deno.test("a secret that is wrong is told without being shown", async () => {
  await using server = new RestCatalogServer();
  server.behaviour.secret = secret;
  const wrong = { ...client, clientSecret: "another-secret-word" };
  const thrown = await catalogOf(server, wrong).connect().then(() => assert.fail("it connected"), (thrown) => thrown);
  assert.ok(thrown instanceof WeirError && thrown.kind === "authentication");
  assert.match(thrown.message, /HTTP 401: invalid_client/);
  assert.doesNotMatch(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown)), /another-secret-word/);
  assert.equal(server.calls.length, 1);
});

Deno.test("a question is asked again through trouble at the server, and an answer that is cut short is none", async () => {
  await using server = new RestCatalogServer();
  const faults = ["before", { status: 503 }, "cut"] as const;
  server.plan = () => faults[server.calls.length - 1];
  await catalogOf(server).connect();
  assert.equal(server.calls.length, 4);
});

Deno.test("a catalog that stays silent or out of order is told with its place", async () => {
  await using server = new RestCatalogServer();
  server.plan = () => "hang";
  const silent = await catalogOf(server, { kind: "none" }, 300).connect().catch((thrown) => thrown);
  assert.equal(silent.message, "No answer from the Iceberg catalog for 0.3 seconds");
  assert.equal(silent.kind, "connection");
  assert.equal(silent.detail.path, new URL(server.uri).origin);
  server.plan = () => ({ status: 500 });
  await assert.rejects(catalogOf(server).connect(), { kind: "connection" });
});

Deno.test("what is no catalog is said to be none", async () => {
  await using server = new RestCatalogServer();
  for (const config of [{ hello: "world" }, []] as Record<string, unknown>[]) {
    server.behaviour.config = config;
    await assert.rejects(catalogOf(server).connect(), {
      kind: "precondition",
      message: `There is no Iceberg REST catalog at ${server.uri}`,
    });
  }
});

Deno.test("prefix and address come from the catalog, its overrides before its defaults", async () => {
  await using server = new RestCatalogServer();
  await using other = new RestCatalogServer();
  server.behaviour.config = {
    defaults: { prefix: "a", uri: server.uri },
    overrides: { prefix: "b/c", uri: other.uri },
  };
  const catalog = catalogOf(server);
  assert.equal(await catalog.path("my ns", "tables", "t"), "v1/b/c/namespaces/my%20ns/tables/t");
  server.behaviour.config = { defaults: { prefix: "a" }, overrides: {} };
  assert.equal(await catalogOf(server).path("bank"), "v1/a/namespaces/bank");
  assert.equal(catalog.client.uri, other.uri);
  const chosen = new RestCatalog({ uri: server.uri, credentials: { kind: "none" }, warehouse: "w/h" });
  await chosen.connect();
  assert.equal(server.calls.at(-1)!.path, "/v1/config?warehouse=w%2Fh");
});
