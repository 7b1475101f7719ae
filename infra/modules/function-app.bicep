// The Flex Consumption plan, the site, its settings, sign-in and CORS.
param planName string
param siteName string
param location string
param tags object
param identityId string
param identityClientId string
param hostStorageName string
param packageContainerName string
param tablesEndpoint string
param serviceBusHost string
param vaultUri string
param insightsConnectionString string
param authClientId string
param origins array
param tenantDomains string
param sharedDomains string
param brandDomains string
param dataverseUrl string
param sendIntroductions bool
param graphMode string
param graphClientId string
param graphKeyVersion int
param crmKeyVersion int
param consentRedirectUrl string
param traces bool
param ownKeys bool
param ownKeysFrom int
param httpAlwaysReady int
param instanceMemoryMB int
param maximumInstanceCount int
param zoneRedundant bool
param subnetId string

// Routes that answer without sign-in. Each has its own check in code, or nothing of any customer in its answer.
var publicPaths = [
  '/api/consent/done'
  '/api/crm/dataverse'
  '/api/graph/lifecycle'
  '/api/graph/notifications'
  '/api/health'
  '/api/introductions/answer'
  '/api/openapi.json'
  '/api/web/*' // scripts of the widgets, whose names carry their version
]
var login = environment().authentication.loginEndpoint // ends with a slash
var issuer = '${login}${tenant().tenantId}/v2.0'
var graphEndpoints = {
  AzureCloud: 'https://graph.microsoft.com/v1.0'
  AzureUSGovernment: 'https://graph.microsoft.us/v1.0'
  AzureChinaCloud: 'https://microsoftgraph.chinacloudapi.cn/v1.0'
}

// Only with a package that holds azure-monitor-opentelemetry. Spans of HTTP clients would carry addresses with ids in them.
var tracing = traces ? {
  AzureFunctionsJobHost__telemetryMode: 'OpenTelemetry'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'azure_sdk,django,fastapi,flask,httpx,psycopg2,requests,urllib,urllib3'
} : {}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostStorageName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: siteName
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: {
        allowedOrigins: origins
        supportCredentials: false
      }
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.properties.primaryEndpoints.blob}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: httpAlwaysReady == 0 ? [] : [
          {
            name: 'http'
            instanceCount: httpAlwaysReady
          }
        ]
      }
    }
  }
}

// Names and passwords of the publishing profile are keys too.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  properties: { allow: false }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  properties: { allow: false }
}

// This replaces the whole set of settings: what is set by hand is gone after the next deployment.
resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'appsettings'
  properties: union(tracing, {
    // the host's own
    AzureWebJobsStorage__blobServiceUri: hostStorage.properties.primaryEndpoints.blob
    AzureWebJobsStorage__tableServiceUri: hostStorage.properties.primaryEndpoints.table
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    SERVICEBUS__fullyQualifiedNamespace: serviceBusHost
    SERVICEBUS__credential: 'managedidentity'
    SERVICEBUS__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
    // the app's: shared/settings.py
    AZURE_CLIENT_ID: identityClientId
    TABLES__endpoint: tablesEndpoint
    PERSON_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/person-key)'
    WEBHOOK_KEY: ownKeys ? '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/webhook-key)' : ''
    LINK_KEY: ownKeys ? '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/link-key)' : ''
    STORE_KEY: ownKeys ? '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/store-key)' : ''
    OWN_KEYS_FROM: string(ownKeysFrom)
    AUTH_OPENID_CONFIGURATION: '${issuer}/.well-known/openid-configuration'
    AUTH_ISSUER: issuer
    AUTH_AUDIENCE: authClientId
    CRM_CHANGES_QUEUE: 'crm-changes'
    CRM_KEY_VERSION: string(crmKeyVersion)
    RECORD_UPDATES_QUEUE: 'record-updates'
    PEOPLE_UPDATES_QUEUE: 'people-updates'
    SIMILAR_UPDATES_QUEUE: 'similar-updates'
    RECORD_UPDATES_WINDOW_SECONDS: '1'
    RECORD_UPDATES_BULK_WINDOW_SECONDS: '30'
    BULK_BATCH: '50'
    MAX_BODY_BYTES: '5000000'
    MAX_CHANGES: '10000'
    TENANT_DOMAINS: tenantDomains
    SHARED_DOMAINS: sharedDomains
    BRAND_DOMAINS: brandDomains
    DATAVERSE_URL: dataverseUrl
    SEND_INTRODUCTIONS: sendIntroductions ? 'true' : 'false'
    GRAPH_ENDPOINT: graphEndpoints[environment().name]
    GRAPH_LOGIN: take(login, length(login) - 1)
    GRAPH_TENANT_ID: tenant().tenantId
    GRAPH_CLIENT_ID: graphClientId
    GRAPH_MODE: graphMode
    GRAPH_NOTIFICATION_URL: 'https://${site.properties.defaultHostName}/api'
    GRAPH_KEY_VERSION: string(graphKeyVersion)
    GRAPH_MAIL_WINDOW_SECONDS: '15'
    GRAPH_CALENDAR_WINDOW_SECONDS: '120'
    GRAPH_LIFECYCLE_QUEUE: 'graph-lifecycle'
    GRAPH_DIRTY_QUEUE: 'graph-dirty'
    GRAPH_BACKFILL_QUEUE: 'graph-backfill'
    CONSENT_REDIRECT_URL: empty(consentRedirectUrl) ? 'https://${site.properties.defaultHostName}/api/consent/done' : consentRedirectUrl
    ALLOWED_ORIGINS: join(origins, ',')
  })
}

// The first of two gates: the app checks every token again, so losing this one does not open it.
resource authentication 'Microsoft.Web/sites/config@2024-11-01' = if (!empty(authClientId)) {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: publicPaths
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: issuer
          // No secret: the identity vouches for the registration (federated credential, made by scripts/entra.py).
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
        }
        validation: { allowedAudiences: ['api://${authClientId}'] }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
  dependsOn: [settings] // both restart the app; one after the other
}

output siteName string = site.name
output siteId string = site.id
output address string = 'https://${site.properties.defaultHostName}'
