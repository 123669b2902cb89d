// SPDX-License-Identifier: Apache-2.0
// Ringdown on Kubernetes: every object, typed by `kubernetes-types`. `npm run manifests` writes ringdown.yaml of it.
//
// What decides the shape:
// - a node's journal holds what PostgreSQL has not got yet, so it outlives its pod: a StatefulSet, a volume for each
// - a call lives in one pod for as long as it takes: five minutes' drain, and nobody is told to hurry
// - a stream may reach another pod than its webhook: no stickiness anywhere
import type { StatefulSet } from "kubernetes-types/apps/v1";
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2";
import type { Job } from "kubernetes-types/batch/v1";
import type { ConfigMap, Container, EnvVar, PodSpec, SecurityContext, Service } from "kubernetes-types/core/v1";
import type { ObjectMeta } from "kubernetes-types/meta/v1";
import type { Ingress, NetworkPolicy } from "kubernetes-types/networking/v1";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1";

const IMAGE = "registry.example.com/ringdown:0.1.0";
const HOST = "calls.example.com";
const NODES = 3;
const DRAIN_S = 300; // drain_seconds: how long calls may go on
const ENDPOINTS_S = 5; // until no balancer sends new calls here any more
const LAST_S = 120; // a minute for callers in an emergency, and what is written at the end

const labels = { "app.kubernetes.io/name": "ringdown" };
const PUBLIC = 8080, ADMIN = 8081;

function meta(name: string): ObjectMeta {
  return { name, labels };
}

// ---- what all nodes have in common ----

export const config: ConfigMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: meta("ringdown"),
  data: {
    RINGDOWN_PUBLIC_URL: `https://${HOST}`,
    RINGDOWN_LISTEN: `0.0.0.0:${PUBLIC}`,
    RINGDOWN_DATA: "/var/lib/ringdown",
    // `ringdown agents publish` puts them there; every node follows within a second. The folder is the image's.
    RINGDOWN_AGENTS_SOURCE: "database",
    RINGDOWN_AGENTS: "/usr/share/ringdown/agents",
    RINGDOWN_LOG_FORMAT: "json",
    RINGDOWN_DRAIN_SECONDS: String(DRAIN_S),
    TWILIO_ACCOUNT_SID: "AC00000000000000000000000000000000",
  },
};

// Keys of the Secret `ringdown`, made by kubectl (README.md): one in this file would undo a rotation with each apply.
const secrets = ["DATABASE_URL", "RINGDOWN_SECRET", "TWILIO_AUTH_TOKEN", "OPENAI_API_KEY"];

function secretEnv(name: string): EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: "ringdown", key: name } } };
}

function field(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

const env: EnvVar[] = [
  field("RINGDOWN_NODE", "metadata.name"), // ringdown-0, ringdown-1, … : the same after a restart
  field("POD_IP", "status.podIP"),
  // Within reach of Prometheus (below: of nobody else) and of kubectl port-forward, by these names alone.
  { name: "RINGDOWN_ADMIN_LISTEN", value: `0.0.0.0:${ADMIN}` },
  { name: "RINGDOWN_ADMIN_HOSTS", value: "$(POD_IP)" },
  ...secrets.map(secretEnv),
];

const locked: SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

const pod: Pick<PodSpec, "automountServiceAccountToken" | "securityContext"> = {
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
};

// ---- the nodes ----

const node: Container = {
  name: "ringdown",
  image: IMAGE,
  args: ["serve"],
  envFrom: [{ configMapRef: { name: "ringdown" } }],
  env,
  ports: [{ name: "public", containerPort: PUBLIC }, { name: "admin", containerPort: ADMIN }],
  // All on the public port: what Twilio needs is what is asked. /livez asks nobody else, so an outage elsewhere restarts nothing.
  startupProbe: { httpGet: { path: "/readyz", port: "public" }, periodSeconds: 2, failureThreshold: 90 },
  livenessProbe: { httpGet: { path: "/livez", port: "public" }, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 3 },
  // 503 while it drains or has no agent that loads; 200 when full or without the database: it still answers webhooks.
  readinessProbe: { httpGet: { path: "/readyz", port: "public" }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 1 },
  // Before SIGTERM, because endpoints are told at the same time: until then this pod takes calls as before.
  lifecycle: { preStop: { exec: { command: ["sleep", String(ENDPOINTS_S)] } } },
  securityContext: locked,
  // No limit of processor time: a throttled thread is heard. docs/performance.md has what a call takes.
  resources: { requests: { cpu: "2", memory: "512Mi" }, limits: { memory: "1Gi" } },
  volumeMounts: [{ name: "data", mountPath: "/var/lib/ringdown" }, { name: "tmp", mountPath: "/tmp" }],
};

export const nodes: StatefulSet = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: meta("ringdown"),
  spec: {
    serviceName: "ringdown-nodes",
    replicas: NODES,
    podManagementPolicy: "Parallel",
    updateStrategy: { type: "RollingUpdate" },
    minReadySeconds: 5,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        ...pod,
        terminationGracePeriodSeconds: ENDPOINTS_S + DRAIN_S + LAST_S,
        topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
          maxSkew: 1, topologyKey, whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: labels },
        })),
        containers: [node],
        volumes: [{ name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } }],
      },
    },
    // What is not in PostgreSQL yet, and recordings. It stays when a node is taken away: its journal may not be empty.
    volumeClaimTemplates: [{
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } },
    }],
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
  },
};

export const headless: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: meta("ringdown-nodes"),
  spec: { clusterIP: "None", selector: labels, ports: [{ name: "admin", port: ADMIN, targetPort: "admin" }] },
};

export const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: meta("ringdown"),
  spec: { selector: labels, ports: [{ name: "public", port: 80, targetPort: "public" }] },
};

// Never two at once by somebody's upgrade of machines. Twelve minutes for three of them are the price of calls that go on.
export const budget: PodDisruptionBudget = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: meta("ringdown"),
  spec: { maxUnavailable: 1, selector: { matchLabels: labels }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
};

// ---- the way in ----
// For ingress-nginx; whichever it is: a path as it came (signatures are made of it), two minutes of silence on a stream at
// least, and streams left alone when its configuration is read again (worker-shutdown-timeout). The Gateway API is the same
// with an HTTPRoute to this Service and `timeouts.request: 0s` for /twilio/media/.
export const ingress: Ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    ...meta("ringdown"),
    annotations: {
      "nginx.ingress.kubernetes.io/proxy-read-timeout": "120",
      "nginx.ingress.kubernetes.io/proxy-send-timeout": "120",
      "nginx.ingress.kubernetes.io/proxy-body-size": "8m", // what Vapi may post
      "nginx.ingress.kubernetes.io/proxy-next-upstream": "error timeout non_idempotent",
    },
  },
  spec: {
    ingressClassName: "nginx",
    tls: [{ hosts: [HOST], secretName: "ringdown-tls" }],
    rules: [{
      host: HOST,
      http: {
        paths: ["/twilio/", "/vapi/"].map((path) => ({
          path, pathType: "Prefix", backend: { service: { name: "ringdown", port: { name: "public" } } },
        })),
      },
    }],
  },
};

export const network: NetworkPolicy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: meta("ringdown"),
  spec: {
    podSelector: { matchLabels: labels },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }],
        ports: [{ port: "public" }] },
      { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
        ports: [{ port: "admin" }] },
    ],
    egress: [
      { ports: [{ port: 53, protocol: "UDP" }, { port: 53, protocol: "TCP" }] },
      { ports: [{ port: 443 }, { port: 5432 }] }, // OpenAI, Twilio, Vapi; PostgreSQL
    ],
  },
};

// ---- the schema ----
// Before the nodes, with each new version: apply this, wait for it, then apply the rest (README.md).
export const migration: Job = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: meta("ringdown-migrate-0-1-0"),
  spec: {
    backoffLimit: 3,
    ttlSecondsAfterFinished: 86400,
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "ringdown-migrate" } },
      spec: {
        ...pod,
        restartPolicy: "Never",
        containers: [{
          name: "migrate", image: IMAGE, args: ["db", "migrate"], securityContext: locked,
          env: [{ name: "RINGDOWN_DATA", value: "/tmp" }, secretEnv("DATABASE_URL")],
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
        }],
        volumes: [{ name: "tmp", emptyDir: {} }],
      },
    },
  },
};

// ---- more or fewer nodes by themselves: only with an adapter that serves Prometheus' numbers to Kubernetes ----
// Wants `ringdown_calls_active` per pod. Not below NODES, and one node fewer in ten minutes at most: each drains.
export const autoscaler: HorizontalPodAutoscaler = {
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: meta("ringdown"),
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name: "ringdown" },
    minReplicas: NODES,
    maxReplicas: 12,
    metrics: [{
      type: "Pods",
      pods: { metric: { name: "ringdown_calls_active" }, target: { type: "AverageValue", averageValue: "200" } },
    }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: "Pods", value: 1, periodSeconds: 600 }] } },
  },
};
