// The Service Bus and its queues, as infra/queues.json lists them. No keys.
param name string
param location string
param tags object
@description('The content of queues.json: defaults, and what a queue says otherwise.')
param queueList object
param isPrivate bool

var tier = isPrivate ? 'Premium' : 'Standard' // private endpoints exist in Premium only
var queueOptions = [for item in queueList.queues: union(queueList.defaults, item)]

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: tier
    tier: tier
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }
}

// requiresDuplicateDetection can be set only when a queue is made; to change it, delete the queue.
resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for queue in queueOptions: {
  parent: namespace
  name: queue.name
  properties: {
    lockDuration: queue.lockDuration
    maxDeliveryCount: queue.maxDeliveryCount
    requiresDuplicateDetection: queue.requiresDuplicateDetection
    duplicateDetectionHistoryTimeWindow: queue.duplicateDetectionHistoryTimeWindow
    deadLetteringOnMessageExpiration: queue.deadLetteringOnMessageExpiration
    requiresSession: false
  }
}]

output id string = namespace.id
output name string = namespace.name
// The endpoint is https://<host>:443/ in every cloud.
output host string = replace(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
output queueNames array = [for (queue, i) in queueOptions: queues[i].name]
