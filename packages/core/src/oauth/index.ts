export {
  type ExchangeClient,
  type ExchangeTarget,
  type SubjectToken,
  type TokenExchange,
  tokenExchange,
} from "./token-exchange.ts";
