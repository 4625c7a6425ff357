/** The door "errand/testing". */
export { testBroker, type PublishedEvent, type TestBroker, type TestBrokerMaker, type TestBrokerOptions } from "./testBroker.ts";
export { VirtualRuntime, type VirtualRuntimeOptions } from "./virtualRuntime.ts";
