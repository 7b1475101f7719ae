// Rapport in one resource group: parameters, names and wiring. What each part is stands in modules/.
targetScope = 'resourceGroup'

@description('Name of the environment; part of every resource name.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources.')
@minLength(1)
param location string = resourceGroup().location

@description('Object id of a developer who may read the tables and use the queues; empty: nobody but the app.')
param principalId string = ''

@description('Client id of the API\'s app registration. Without it nobody can sign in and no protected route answers.')
param authClientId string = ''

@description('Origins of the CRM whose forms show the widgets, with commas between, such as https://contoso.crm4.dynamics.com')
param allowedOrigins string = ''

@description('Our own mail domains, with commas between; they tell colleagues from others.')
param tenantDomains string = ''

@description('Domains that stand for no company, with commas between: partners, mail providers that we do not know.')
param sharedDomains string = ''

@description('Domains of one company under several names, as brand.example=company.example, with commas between.')
param brandDomains string = ''

@description('Address of the Dataverse environment that says which records a caller may read; empty: the app role alone decides.')
param dataverseUrl string = ''

@description('Whether requests for introductions are sent from the asker\'s mailbox; needs Mail.Send.')
param sendIntroductions bool = false

@description('How mailboxes are read. push: notifications, permission per mailbox; poll: every 15 minutes.')
@allowed(['push', 'poll'])
param graphMode string = 'push'

@description('Client id of the app registration that reads mailboxes; empty: none are read.')
param graphClientId string = ''

@description('Page to which the consent page of Microsoft Entra sends administrators back; empty: the app\'s own.')
param consentRedirectUrl string = ''

@description('Whether keys that may change come from secrets of their own; false only where the app is older than they are.')
param ownKeys bool = false

@description('Number of the webhooks\' keys from which their own secret holds; the ones before come from the key of the persons.')
@minValue(1)
param ownKeysFrom int = 1

@description('Spans and counters of the app, besides its logs; the package must hold azure-monitor-opentelemetry (docs/operations.md).')
param traces bool = false

@description('Number of the key in the addresses that Graph notifies; one more is a new key, the last one still holds.')
@minValue(1)
param graphKeyVersion int = 1

@description('Number of the key that the CRM\'s webhook sends; one more is a new key, the last one still holds.')
@minValue(1)
param crmKeyVersion int = 1

@description('Instances that always wait for requests. 0 is cheaper and makes the first request after a rest slow.')
@minValue(0)
@maxValue(20)
param httpAlwaysReady int = 1

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances at one time. The quota of a region is 512,000 MB: 250 instances of 2048 MB.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Storage accounts over which the tables are spread, by partition. It cannot be changed later without loading everything again.')
@minValue(1)
@maxValue(16)
param dataAccounts int = 1

@description('Tables, queues and secrets are reached from inside a virtual network only. Needs Service Bus Premium.')
param vnetEnabled bool = false

@description('Spread over the availability zones of the region, where it has them.')
param zoneRedundant bool = false

@description('Where alerts are mailed to; empty: alerts show in the portal only.')
param alertEmail string = ''

@description('Gigabytes of logs a day after which no more are taken in, so that a fault cannot cost without end.')
@minValue(1)
param logDailyCapGb int = 2

@description('Budget of the resource group a month, in the currency of the subscription; 0: no budget.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the month in which the budget starts, such as 2026-11-01; Azure refuses to move it later.')
param budgetStart string = ''

var token = take(uniqueString(resourceGroup().id, environmentName), 8)
// Letters and digits only: storage accounts take nothing else, vaults refuse two hyphens in a row.
var plain = toLower(replace(replace(replace(replace(replace(environmentName, '-', ''), '_', ''), '.', ''), '(', ''), ')', ''))
var short = take(plain, 9)
var long = 'rapport-${take(plain, 20)}-${token}'
var dataNames = [for i in range(0, dataAccounts): 'st${short}d${token}${i == 0 ? '' : string(i + 1)}']
var tags = { 'azd-env-name': environmentName }
var queueList = loadJsonContent('queues.json')
var tableList = loadJsonContent('tables.json')
var origins = empty(allowedOrigins) ? [] : split(replace(allowedOrigins, ' ', ''), ',')

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${long}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${long}'
    insightsName: 'appi-${long}'
    location: location
    tags: tags
    dailyCapGb: logDailyCapGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    hostName: 'st${short}h${token}'
    dataNames: dataNames
    location: location
    tags: tags
    tableList: tableList
    isPrivate: vnetEnabled
    zoneRedundant: zoneRedundant
  }
}

module messaging 'modules/messaging.bicep' = {
  name: 'messaging'
  params: {
    name: 'sb-${long}'
    location: location
    tags: tags
    queueList: queueList
    isPrivate: vnetEnabled
  }
}

module secrets 'modules/secrets.bicep' = {
  name: 'secrets'
  params: {
    name: 'kv-r${short}-${token}'
    location: location
    tags: tags
    isPrivate: vnetEnabled
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  params: {
    name: 'vnet-${long}'
    location: location
    tags: tags
    hostStorageId: storage.outputs.hostId
    dataStorageIds: storage.outputs.dataIds
    serviceBusId: messaging.outputs.id
    vaultId: secrets.outputs.id
  }
}

module access 'modules/access.bicep' = {
  name: 'access'
  params: {
    appPrincipalId: identity.outputs.principalId
    developerPrincipalId: principalId
    hostStorageName: storage.outputs.hostName
    dataStorageNames: storage.outputs.dataNames
    serviceBusName: messaging.outputs.name
    queueNames: messaging.outputs.queueNames
    vaultName: secrets.outputs.name
    insightsName: monitoring.outputs.insightsName
    countRoleName: 'Rapport message counts ${token}'
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    planName: 'plan-${long}'
    siteName: 'func-${long}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: storage.outputs.hostName
    packageContainerName: storage.outputs.packageContainerName
    tablesEndpoint: join(storage.outputs.tablesEndpoints, ',')
    serviceBusHost: messaging.outputs.host
    vaultUri: secrets.outputs.uri
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    authClientId: authClientId
    origins: origins
    tenantDomains: tenantDomains
    sharedDomains: sharedDomains
    brandDomains: brandDomains
    dataverseUrl: dataverseUrl
    sendIntroductions: sendIntroductions
    graphMode: graphMode
    graphClientId: graphClientId
    graphKeyVersion: graphKeyVersion
    crmKeyVersion: crmKeyVersion
    consentRedirectUrl: consentRedirectUrl
    traces: traces
    ownKeys: ownKeys
    ownKeysFrom: ownKeysFrom
    httpAlwaysReady: httpAlwaysReady
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    zoneRedundant: zoneRedundant
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
  }
  // The host reads its package and locks with the identity, so its rights come first.
  dependsOn: [access]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: long
    location: location
    tags: tags
    email: alertEmail
    serviceBusId: messaging.outputs.id
    siteId: functionApp.outputs.siteId
    tablesId: storage.outputs.dataIds[0]
    workspaceId: monitoring.outputs.workspaceId
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
  }
}

output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = resourceGroup().name
output SERVICE_API_NAME string = functionApp.outputs.siteName
output SERVICE_API_ENDPOINT string = functionApp.outputs.address
output RAPPORT_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output RAPPORT_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output RAPPORT_KEY_VAULT_ID string = secrets.outputs.id
// So that an environment that is read back from Azure keeps them: the keys in use hang on them.
output RAPPORT_OWN_KEYS string = ownKeys ? 'true' : 'false'
output RAPPORT_OWN_KEYS_FROM string = string(ownKeysFrom)
output RAPPORT_TABLES_ENDPOINT string = join(storage.outputs.tablesEndpoints, ',')
output RAPPORT_SERVICE_BUS_HOST string = messaging.outputs.host
