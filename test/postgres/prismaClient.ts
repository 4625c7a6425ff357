/** Prisma's own client over its adapter for `pg`, for a schema without models: what `prisma generate` writes, less what a model would add. */
import { Buffer } from "node:buffer";
import { PrismaPg } from "@prisma/adapter-pg";
import { getPrismaClient } from "@prisma/client/runtime/client";
import type { GetPrismaClientConfig } from "@prisma/client/runtime/client";

/** Files without types, beside the runtime. */
const compiler = "@prisma/client/runtime/query_compiler_fast_bg.postgresql";
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: { readonly Module: new (bytes: Buffer) => never } };

const inlineSchema = 'generator client {\n  provider = "prisma-client"\n  output = "."\n}\n\ndatasource db {\n  provider = "postgresql"\n}\n';

const config: GetPrismaClientConfig = {
  previewFeatures: [],
  clientVersion: "7.10.0",
  engineVersion: "0edf323efd1d98336f3f0a68684b56f689b900d3",
  activeProvider: "postgresql",
  inlineSchema,
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  parameterizationSchema: { strings: [], graph: "AAAA" },
  compilerWasm: {
    getRuntime: () => import(`${compiler}.mjs`) as Promise<never>,
    getQueryCompilerWasmModule: async () => {
      const { wasm } = (await import(`${compiler}.wasm-base64.mjs`)) as { readonly wasm: string };
      return new WebAssembly.Module(Buffer.from(wasm, "base64"));
    },
    importName: "./query_compiler_fast_bg.js",
  },
};

/** What transactions are handed over as: as in the generated types. */
export interface PrismaTransaction {
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T>;
  $executeRaw(query: TemplateStringsArray, ...values: unknown[]): Promise<number>;
  $executeRawUnsafe(query: string, ...values: unknown[]): Promise<number>;
}

export interface PrismaClient extends PrismaTransaction {
  $connect(): Promise<void>;
  $disconnect(): Promise<void>;
  $transaction<T>(fn: (tx: PrismaTransaction) => Promise<T>): Promise<T>;
}

export function prismaClient(connectionString: string): PrismaClient {
  const Client = getPrismaClient(config) as unknown as new (options: object) => PrismaClient;
  return new Client({ adapter: new PrismaPg({ connectionString, max: 4 }) });
}
