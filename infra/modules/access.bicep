// Every role assignment, and nothing else: data-plane roles, each on the smallest resource.
param appPrincipalId string
@description('A developer\'s object id, or empty.')
param developerPrincipalId string
param hostStorageName string
param dataStorageNames array
param serviceBusName string
param queueNames array
param vaultName string
param insightsName string
@description('Role names are unique in a tenant.')
param countRoleName string

var roles = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  serviceBusDataReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}
var roleIds = 'Microsoft.Authorization/roleDefinitions'
var groupId = resourceGroup().id
var withDeveloper = !empty(developerPrincipalId)

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostStorageName
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = [for dataStorageName in dataStorageNames: {
  name: dataStorageName
}]

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [for queueName in queueNames: {
  parent: serviceBus
  name: queueName
}]

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Host: locks, timers, the deployment package.
resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, appPrincipalId, roles.blobDataOwner)
  scope: hostStorage
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.blobDataOwner)
  }
}

// Host: its diagnostic events.
resource hostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, appPrincipalId, roles.tableDataContributor)
  scope: hostStorage
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.tableDataContributor)
  }
}

// All functions: every table.
resource dataTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (dataStorageName, i) in dataStorageNames: {
  name: guid(dataStorage[i].id, appPrincipalId, roles.tableDataContributor)
  scope: dataStorage[i]
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.tableDataContributor)
  }
}]

// Functions that a queue starts.
resource receive 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queueName, i) in queueNames: {
  name: guid(queues[i].id, appPrincipalId, roles.serviceBusDataReceiver)
  scope: queues[i]
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.serviceBusDataReceiver)
  }
}]

// Functions that send to a queue or postpone a message.
resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queueName, i) in queueNames: {
  name: guid(queues[i].id, appPrincipalId, roles.serviceBusDataSender)
  scope: queues[i]
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.serviceBusDataSender)
  }
}]

// The scale controller counts messages. Without this right it peeks, and sees scheduled messages as waiting ones.
resource countRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(groupId, countRoleName)
  properties: {
    roleName: countRoleName
    description: 'Read the message counts of a Service Bus namespace.'
    type: 'CustomRole'
    assignableScopes: [groupId]
    permissions: [
      {
        actions: ['Microsoft.ServiceBus/namespaces/*/read']
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource count 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(serviceBus.id, appPrincipalId, countRoleName)
  scope: serviceBus
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: countRole.id
  }
}

// Host: settings that are references to secrets.
resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.keyVaultSecretsUser)
  }
}

resource publishTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appPrincipalId, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.monitoringMetricsPublisher)
  }
}

resource developerTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (dataStorageName, i) in dataStorageNames: if (withDeveloper) {
  name: guid(dataStorage[i].id, developerPrincipalId, roles.tableDataContributor)
  scope: dataStorage[i]
  properties: {
    principalId: developerPrincipalId
    principalType: 'User'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.tableDataContributor)
  }
}]

resource developerReceive 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queueName, i) in queueNames: if (withDeveloper) {
  name: guid(queues[i].id, developerPrincipalId, roles.serviceBusDataReceiver)
  scope: queues[i]
  properties: {
    principalId: developerPrincipalId
    principalType: 'User'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.serviceBusDataReceiver)
  }
}]

resource developerSend 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (queueName, i) in queueNames: if (withDeveloper) {
  name: guid(queues[i].id, developerPrincipalId, roles.serviceBusDataSender)
  scope: queues[i]
  properties: {
    principalId: developerPrincipalId
    principalType: 'User'
    roleDefinitionId: subscriptionResourceId(roleIds, roles.serviceBusDataSender)
  }
}]
