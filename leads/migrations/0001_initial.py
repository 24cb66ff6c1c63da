import accounts.validators
import config.db.fields
import config.db.ids
import config.db.iso
import config.db.words
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import leads.models.tickets
from django.conf import settings
from django.db import migrations, models

from config.db.migrations import FirstMigration


class Migration(FirstMigration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
        ('inventory', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Lead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('name', models.CharField(max_length=200)),
                ('email', config.db.fields.LowerEmailField(max_length=254, verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, default='', max_length=50)),
                ('message', models.TextField()),
                ('source', models.CharField(default='contact_form', help_text='Where the request came from.', max_length=50)),
                ('status', models.CharField(choices=[('NEW', 'New'), ('CONTACTED', 'Contacted'), ('QUALIFIED', 'Qualified'), ('NEGOTIATING', 'Negotiating'), ('CONVERTED', 'Converted'), ('LOST', 'Lost'), ('SPAM', 'Spam')], default='NEW', max_length=12)),
                ('priority', models.SmallIntegerField(choices=[(1, 'Low'), (2, 'Medium'), (3, 'High'), (4, 'Urgent')], default=2)),
                ('priority_set_by_staff', models.BooleanField(db_default=False, default=False, editable=False, help_text='Somebody chose the priority, so a new score leaves it alone.')),
                ('score', models.SmallIntegerField(default=0, editable=False)),
                ('score_factors', models.JSONField(blank=True, default=dict, editable=False)),
                ('subject_label', models.CharField(blank=True, default='', editable=False, max_length=255, verbose_name='asked about')),
                ('ip_address', models.GenericIPAddressField(blank=True, editable=False, null=True, verbose_name='IP address')),
                ('user_agent', models.TextField(blank=True, default='', editable=False)),
                ('responded_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='first answer')),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='closed')),
                ('assigned_to', models.ForeignKey(blank=True, db_index=False, limit_choices_to={'is_active': True, 'role__in': ('SUPER_ADMIN', 'ADMIN')}, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads_assigned', to=settings.AUTH_USER_MODEL)),
                ('car', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads', to='inventory.car')),
                ('part', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads', to='inventory.part')),
                ('seller', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads', to='accounts.seller')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads_sent', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-priority', '-score', '-created_at', '-id'],
                'indexes': [models.Index(django.db.models.functions.text.Lower('email'), name='lead_email'), models.Index(condition=models.Q(('phone', ''), _negated=True), fields=['phone'], name='lead_phone'), models.Index(fields=['score', 'priority', 'created_at', 'id'], name='lead_score'), models.Index(fields=['source'], name='lead_source'), models.Index(fields=['-created_at'], name='lead_created'), models.Index(fields=['-priority', '-score', '-created_at', '-id'], name='lead_work_order'), models.Index(fields=['status', 'priority', 'score', 'created_at', 'id'], name='lead_status'), models.Index(fields=['status', '-created_at'], name='lead_status_newest'), models.Index(fields=['assigned_to', 'status'], name='lead_assignee_status'), models.Index(fields=['assigned_to', 'priority', 'score', 'created_at', 'id'], name='lead_assignee_work'), config.db.words.WordIndex(config.db.words.Words('name', 'email', 'phone'), name='lead_name_words'), config.db.words.WordIndex(config.db.words.Words('name', 'email', 'phone', 'subject_label', 'message'), name='lead_words')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='lead_public_id_unique', violation_error_message='This public id is already in use.'), models.CheckConstraint(condition=models.Q(('status__in', ['NEW', 'CONTACTED', 'QUALIFIED', 'NEGOTIATING', 'CONVERTED', 'LOST', 'SPAM'])), name='lead_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('priority__in', [1, 2, 3, 4])), name='lead_priority_valid', violation_error_message='Choose one of the offered values for priority.'), models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lte', 100)), name='lead_score_range', violation_error_message='A score lies between 0 and 100.'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status__in', ('CONVERTED', 'LOST', 'SPAM'))), models.Q(models.Q(('status__in', ('CONVERTED', 'LOST', 'SPAM')), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='lead_closed_when_dated', violation_error_message='A converted, lost or spam lead needs its closing time; the others have none.')],
            },
        ),
        migrations.CreateModel(
            name='LeadActivity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(choices=[('CREATED', 'Created'), ('STATUS_CHANGED', 'Status changed'), ('PRIORITY_CHANGED', 'Priority changed'), ('ASSIGNED', 'Assigned'), ('NOTE_ADDED', 'Note added'), ('EMAIL_SENT', 'E-mail sent'), ('PHONE_CALL', 'Phone call'), ('MEETING', 'Meeting'), ('CAR_SHOWN', 'Car shown'), ('TEST_DRIVE', 'Test drive')], max_length=16)),
                ('description', models.TextField(blank=True, default='', validators=[django.core.validators.MaxLengthValidator(1000)])),
                ('metadata', models.JSONField(blank=True, null=True)),
                ('actor_label', models.CharField(blank=True, default='', editable=False, help_text='Filled in when the person is removed.', max_length=254, verbose_name='actor (as text)')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('actor', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='lead_activities', to=settings.AUTH_USER_MODEL)),
                ('lead', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='activities', to='leads.lead')),
            ],
            options={
                'verbose_name': 'activity',
                'verbose_name_plural': 'activities',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['lead', '-created_at'], name='activity_timeline'), models.Index(fields=['type', 'created_at', 'id'], name='activity_type'), models.Index(fields=['created_at'], name='activity_created')],
                'constraints': [models.CheckConstraint(condition=models.Q(('type__in', ['CREATED', 'STATUS_CHANGED', 'PRIORITY_CHANGED', 'ASSIGNED', 'NOTE_ADDED', 'EMAIL_SENT', 'PHONE_CALL', 'MEETING', 'CAR_SHOWN', 'TEST_DRIVE'])), name='leadactivity_type_valid', violation_error_message='Choose one of the offered values for type.')],
            },
        ),
        migrations.CreateModel(
            name='LeadNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author_label', models.CharField(blank=True, default='', editable=False, max_length=200, verbose_name='author')),
                ('text', models.TextField(validators=[django.core.validators.MaxLengthValidator(2000)])),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('author', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='lead_notes', to=settings.AUTH_USER_MODEL)),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='leads.lead')),
            ],
            options={
                'verbose_name': 'note',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['-created_at'], name='lead_note_newest'), config.db.words.WordIndex(config.db.words.Words('text', 'author_label'), name='lead_note_words')],
            },
        ),
        migrations.CreateModel(
            name='NewsletterSubscriber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', config.db.fields.LowerEmailField(max_length=254, verbose_name='e-mail')),
                ('name', models.CharField(blank=True, default='', max_length=100)),
                ('source', models.CharField(blank=True, default='', max_length=50)),
                ('preferences', models.JSONField(blank=True, default=dict)),
                ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('UNSUBSCRIBED', 'Unsubscribed'), ('BOUNCED', 'Bounced')], default='ACTIVE', max_length=12)),
                ('subscribed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='subscribed')),
                ('unsubscribed_at', models.DateTimeField(blank=True, null=True, verbose_name='unsubscribed')),
                ('last_email_at', models.DateTimeField(blank=True, null=True, verbose_name='last mail')),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmed')),
            ],
            options={
                'ordering': ['-subscribed_at', '-id'],
                'indexes': [models.Index(fields=['email'], name='subscriber_email'), models.Index(fields=['status', 'subscribed_at', 'id'], name='subscriber_status'), models.Index(fields=['-subscribed_at'], name='subscriber_newest'), config.db.words.WordIndex(config.db.words.Words('email', 'name'), name='subscriber_words')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='newslettersubscriber_email_unique', violation_error_message='This address is on the list already.'), models.CheckConstraint(condition=models.Q(('status__in', ['ACTIVE', 'UNSUBSCRIBED', 'BOUNCED'])), name='newslettersubscriber_status_valid', violation_error_message='Choose one of the offered values for status.')],
            },
        ),
        migrations.CreateModel(
            name='SupportTicket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('number', models.CharField(default=leads.models.tickets.new_ticket_number, editable=False, max_length=20)),
                ('title', models.CharField(max_length=255)),
                ('description', models.TextField()),
                ('type', models.CharField(choices=[('general', 'General'), ('billing', 'Billing'), ('technical', 'Technical'), ('account', 'Account'), ('bug_report', 'Bug report'), ('feature_request', 'Feature request')], default='general', max_length=16)),
                ('priority', models.SmallIntegerField(choices=[(1, 'Low'), (2, 'Medium'), (3, 'High'), (4, 'Urgent'), (5, 'Critical')], default=2)),
                ('due_at', models.DateTimeField(blank=True, null=True, verbose_name='due')),
                ('status', models.CharField(choices=[('open', 'Open'), ('assigned', 'Assigned'), ('in_progress', 'In progress'), ('waiting_customer', 'Waiting for the customer'), ('waiting_internal', 'Waiting for us'), ('resolved', 'Resolved'), ('closed', 'Closed')], default='open', max_length=18)),
                ('first_response_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='first answer')),
                ('resolved_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='resolved')),
                ('assignee', models.ForeignKey(blank=True, limit_choices_to={'is_active': True, 'role__in': ('SUPER_ADMIN', 'ADMIN')}, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tickets_assigned', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-priority', '-created_at', '-id'],
                'indexes': [models.Index(fields=['-priority', '-created_at', '-id'], name='ticket_work_order'), models.Index(fields=['status', 'priority', 'created_at', 'id'], name='ticket_status'), models.Index(fields=['type', 'priority', 'created_at', 'id'], name='ticket_type'), models.Index(fields=['-created_at'], name='ticket_created'), config.db.words.WordIndex(config.db.words.Words('number', 'title'), name='ticket_words')],
                'constraints': [models.UniqueConstraint(fields=('number',), name='supportticket_number_unique', violation_error_message='This ticket number is in use already.'), models.CheckConstraint(condition=models.Q(('status__in', ['open', 'assigned', 'in_progress', 'waiting_customer', 'waiting_internal', 'resolved', 'closed'])), name='supportticket_status_valid', violation_error_message='Choose one of the offered values for status.'), models.CheckConstraint(condition=models.Q(('type__in', ['general', 'billing', 'technical', 'account', 'bug_report', 'feature_request'])), name='supportticket_type_valid', violation_error_message='Choose one of the offered values for type.'), models.CheckConstraint(condition=models.Q(('priority__in', [1, 2, 3, 4, 5])), name='supportticket_priority_valid', violation_error_message='Choose one of the offered values for priority.'), models.CheckConstraint(condition=models.Q(('resolved_at__isnull', True), ('status__in', ('resolved', 'closed')), _connector='OR'), name='supportticket_resolved_when_dated', violation_error_message='An open ticket has no date of resolution.')],
            },
        ),
        migrations.CreateModel(
            name='TicketComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('text', models.TextField()),
                ('is_internal', models.BooleanField(default=False, help_text='Never shown to the customer.', verbose_name='internal')),
                ('author_label', models.CharField(blank=True, default='', editable=False, help_text='Filled in when the person is removed.', max_length=254, verbose_name='author (as text)')),
                ('author', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='ticket_comments', to=settings.AUTH_USER_MODEL)),
                ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='leads.supportticket')),
            ],
            options={
                'verbose_name': 'comment',
                'ordering': ['created_at', 'id'],
                'indexes': [models.Index(fields=['ticket', 'created_at'], name='comment_ticket_time'), models.Index(fields=['created_at'], name='comment_time'), models.Index(fields=['is_internal', 'created_at', 'id'], name='comment_internal'), config.db.words.WordIndex(config.db.words.Words('text'), name='comment_words')],
            },
        ),
        migrations.CreateModel(
            name='Voucher',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=config.db.ids.new_ulid, editable=False, help_text='The name of this row in links and in the API.', max_length=36, verbose_name='public id')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='updated')),
                ('deleted_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='deleted')),
                ('title_key', models.CharField(help_text='Translation key of the title.', max_length=255)),
                ('description_key', models.CharField(help_text='Translation key of the description.', max_length=255)),
                ('terms_key', models.CharField(help_text='Translation key of the terms.', max_length=255)),
                ('discount_type', models.CharField(choices=[('percentage', 'Percentage'), ('fixed', 'Fixed amount')], max_length=10)),
                ('discount_value', models.DecimalField(decimal_places=2, help_text="Per cent, or an amount in the voucher's currency.", max_digits=10)),
                ('currency', config.db.fields.UpperCharField(default='ZAR', help_text='ISO 4217, such as ZAR.', max_length=3, validators=[config.db.iso.validate_currency])),
                ('valid_from', models.DateTimeField(blank=True, help_text='Empty: at once.', null=True)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Empty: never.', null=True, verbose_name='expires')),
                ('max_redemptions', models.PositiveIntegerField(blank=True, help_text='Empty: no limit.', null=True)),
                ('max_per_user', models.PositiveIntegerField(default=1, verbose_name='most per person')),
                ('latitude', models.FloatField(blank=True, help_text="Where it can be used; empty: at the seller's.", null=True)),
                ('longitude', models.FloatField(blank=True, null=True)),
                ('image_url', models.CharField(blank=True, default='', max_length=500, validators=[accounts.validators.validate_image_url], verbose_name='picture')),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('claimed', 'Claimed'), ('redeemed', 'Redeemed'), ('expired', 'Expired'), ('suspended', 'Suspended')], default='draft', editable=False, max_length=10)),
                ('redemption_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='redeemed')),
                ('claim_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='claimed')),
                ('scan_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='scanned')),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='vouchers', to='inventory.category')),
                ('seller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='vouchers', to='accounts.seller')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['expires_at'], name='voucher_expiry'), models.Index(fields=['-created_at'], name='voucher_newest'), models.Index(fields=['state', 'created_at', 'id'], name='voucher_state'), models.Index(fields=['discount_type', 'created_at', 'id'], name='voucher_discount_type'), models.Index(fields=['title_key'], name='voucher_title'), models.Index(fields=['seller', 'state'], name='voucher_seller_state'), models.Index(fields=['seller', 'state', 'expires_at'], name='voucher_seller_state_expiry'), models.Index(condition=models.Q(('state', 'published')), fields=['latitude', 'longitude'], name='voucher_position'), models.Index(condition=models.Q(('state', 'published')), fields=['expires_at'], name='voucher_published')],
                'constraints': [models.UniqueConstraint(fields=('public_id',), name='voucher_public_id_unique', violation_error_message='This public id is already in use.'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'published', 'claimed', 'redeemed', 'expired', 'suspended'])), name='voucher_state_valid', violation_error_message='Choose one of the offered values for state.'), models.CheckConstraint(condition=models.Q(('discount_type__in', ['percentage', 'fixed'])), name='voucher_discount_type_valid', violation_error_message='Choose one of the offered values for discount type.'), models.CheckConstraint(condition=models.Q(('currency__in', ('AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BHD', 'BIF', 'BMD', 'BND', 'BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CLP', 'CNY', 'COP', 'CRC', 'CUP', 'CVE', 'CZK', 'DJF', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD', 'GNF', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'IRR', 'ISK', 'JMD', 'JOD', 'JPY', 'KES', 'KGS', 'KHR', 'KMF', 'KPW', 'KRW', 'KWD', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'LYD', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR', 'NZD', 'OMR', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF', 'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TND', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VES', 'VND', 'VUV', 'WST', 'XAF', 'XCD', 'XOF', 'XPF', 'YER', 'ZAR', 'ZMW', 'ZWG'))), name='voucher_currency_valid', violation_error_message='A currency is an ISO 4217 code, such as EUR or ZAR.'), models.CheckConstraint(condition=models.Q(models.Q(('latitude__isnull', False), ('longitude__isnull', False)), models.Q(('latitude__isnull', True), ('longitude__isnull', True)), _connector='OR'), name='voucher_position_complete', violation_error_message='Give both latitude and longitude, or neither.'), models.CheckConstraint(condition=models.Q(('latitude__gte', -90), ('latitude__lte', 90)), name='voucher_latitude_range', violation_error_message='Latitude lies between -90 and 90 degrees.'), models.CheckConstraint(condition=models.Q(('longitude__gte', -180), ('longitude__lte', 180)), name='voucher_longitude_range', violation_error_message='Longitude lies between -180 and 180 degrees.'), models.CheckConstraint(condition=models.Q(('discount_value__gt', 0)), name='voucher_discount_positive', violation_error_message='A discount is more than nothing.'), models.CheckConstraint(condition=models.Q(models.Q(('discount_type', 'percentage'), _negated=True), ('discount_value__lte', 100), _connector='OR'), name='voucher_percentage_range', violation_error_message='A percentage is at most 100.'), models.CheckConstraint(condition=models.Q(('expires_at__gte', models.F('valid_from'))), name='voucher_window_order', violation_error_message='A voucher cannot expire before it is valid.'), models.CheckConstraint(condition=models.Q(('max_redemptions__gte', 1)), name='voucher_max_redemptions_positive', violation_error_message='The limit of redemptions is at least 1.'), models.CheckConstraint(condition=models.Q(('max_per_user__gte', 1)), name='voucher_max_per_user_positive', violation_error_message='The limit per person is at least 1.'), models.CheckConstraint(condition=models.Q(('max_redemptions__isnull', True), ('redemption_count__lte', models.F('max_redemptions')), _connector='OR'), name='voucher_redemptions_within_limit', violation_error_message='More redemptions than the voucher allows.'), models.CheckConstraint(condition=models.Q(('claim_count__gte', 0), ('redemption_count__gte', 0), ('scan_count__gte', 0)), name='voucher_counts_positive', violation_error_message='Counts cannot be negative.')],
            },
        ),
        migrations.CreateModel(
            name='VoucherClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('claimed', 'Claimed'), ('redeemed', 'Redeemed'), ('expired', 'Expired')], default='claimed', max_length=10)),
                ('claimed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='claimed')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('redeemed_at', models.DateTimeField(blank=True, null=True, verbose_name='redeemed')),
                ('preferences', models.JSONField(blank=True, default=dict)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='voucher_claims', to=settings.AUTH_USER_MODEL)),
                ('voucher', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='claims', to='leads.voucher')),
            ],
            options={
                'verbose_name': 'claim',
                'ordering': ['-claimed_at', '-id'],
                'indexes': [models.Index(fields=['user', 'status'], name='claim_user_status'), models.Index(fields=['-claimed_at'], name='claim_newest'), models.Index(fields=['status', 'claimed_at', 'id'], name='claim_status')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['claimed', 'redeemed', 'expired'])), name='voucherclaim_status_valid', violation_error_message='Choose one of the offered values for status.'), models.UniqueConstraint(condition=models.Q(('status', 'claimed')), fields=('user', 'voucher'), name='voucherclaim_one_open_claim', violation_error_message='This person holds an open claim of this voucher already.'), models.CheckConstraint(condition=models.Q(models.Q(('redeemed_at__isnull', False), ('status', 'redeemed')), models.Q(models.Q(('status', 'redeemed'), _negated=True), ('redeemed_at__isnull', True)), _connector='OR'), name='voucherclaim_redeemed_when_dated', violation_error_message='A redeemed claim needs its date; the others have none.')],
            },
        ),
        migrations.CreateModel(
            name='VoucherCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=500)),
                ('type', models.CharField(choices=[('qr', 'QR'), ('short', 'Short'), ('static', 'Static')], max_length=6)),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('voucher', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='leads.voucher')),
            ],
            options={
                'verbose_name': 'code',
                'ordering': ['-created_at', '-id'],
                'indexes': [models.Index(fields=['voucher', 'type'], name='voucher_code_type'), models.Index(fields=['voucher', 'is_active'], name='voucher_code_active'), models.Index(fields=['-created_at'], name='voucher_code_newest'), models.Index(fields=['type', 'created_at', 'id'], name='code_type_newest'), models.Index(fields=['is_active', 'created_at', 'id'], name='code_active_newest')],
                'constraints': [models.UniqueConstraint(fields=('code',), name='vouchercode_code_unique', violation_error_message='This code is in use already.'), models.CheckConstraint(condition=models.Q(('type__in', ['qr', 'short', 'static'])), name='vouchercode_type_valid', violation_error_message='Choose one of the offered values for type.')],
            },
        ),
        migrations.CreateModel(
            name='VoucherRedemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('voucher_label', models.CharField(blank=True, default='', editable=False, help_text='Its title; filled in when the voucher is removed.', max_length=255, verbose_name='voucher (as text)')),
                ('seller_label', models.CharField(blank=True, default='', editable=False, help_text='Whose voucher it was; filled in when the voucher is removed.', max_length=255, verbose_name='seller (as text)')),
                ('user_label', models.CharField(blank=True, default='', editable=False, max_length=254, verbose_name='person')),
                ('code_used', models.CharField(blank=True, default='', max_length=500)),
                ('discount_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ('currency', config.db.fields.UpperCharField(default='ZAR', max_length=3, validators=[config.db.iso.validate_currency])),
                ('latitude', models.FloatField(blank=True, null=True)),
                ('longitude', models.FloatField(blank=True, null=True)),
                ('idempotency_key', models.CharField(blank=True, max_length=128, null=True)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('redeemed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='redeemed')),
                ('claim', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='redemption', to='leads.voucherclaim')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='voucher_redemptions', to=settings.AUTH_USER_MODEL)),
                ('voucher', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='leads.voucher')),
            ],
            options={
                'verbose_name': 'redemption',
                'ordering': ['-redeemed_at', '-id'],
                'indexes': [models.Index(fields=['voucher', 'redeemed_at'], name='redemption_voucher_time'), models.Index(fields=['user', 'redeemed_at'], name='redemption_user_time'), models.Index(fields=['-redeemed_at'], name='redemption_newest'), config.db.words.WordIndex(config.db.words.Words('voucher_label', 'seller_label', 'user_label', 'code_used'), name='redemption_words')],
                'constraints': [models.CheckConstraint(condition=models.Q(('currency__in', ('AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BHD', 'BIF', 'BMD', 'BND', 'BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CLP', 'CNY', 'COP', 'CRC', 'CUP', 'CVE', 'CZK', 'DJF', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD', 'GNF', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'IRR', 'ISK', 'JMD', 'JOD', 'JPY', 'KES', 'KGS', 'KHR', 'KMF', 'KPW', 'KRW', 'KWD', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'LYD', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR', 'NZD', 'OMR', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF', 'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TND', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VES', 'VND', 'VUV', 'WST', 'XAF', 'XCD', 'XOF', 'XPF', 'YER', 'ZAR', 'ZMW', 'ZWG'))), name='voucherredemption_currency_valid', violation_error_message='A currency is an ISO 4217 code, such as EUR or ZAR.'), models.CheckConstraint(condition=models.Q(models.Q(('latitude__isnull', False), ('longitude__isnull', False)), models.Q(('latitude__isnull', True), ('longitude__isnull', True)), _connector='OR'), name='voucherredemption_position_complete', violation_error_message='Give both latitude and longitude, or neither.'), models.CheckConstraint(condition=models.Q(('latitude__gte', -90), ('latitude__lte', 90)), name='voucherredemption_latitude_range', violation_error_message='Latitude lies between -90 and 90 degrees.'), models.CheckConstraint(condition=models.Q(('longitude__gte', -180), ('longitude__lte', 180)), name='voucherredemption_longitude_range', violation_error_message='Longitude lies between -180 and 180 degrees.'), models.CheckConstraint(condition=models.Q(('voucher__isnull', False), models.Q(('voucher_label', ''), _negated=True), _connector='OR'), name='voucherredemption_voucher_named', violation_error_message='A redemption whose voucher was removed keeps its name.'), models.CheckConstraint(condition=models.Q(('discount_amount__gte', 0)), name='voucherredemption_discount_amount_positive', violation_error_message='A discount cannot be negative.'), models.UniqueConstraint(fields=('voucher', 'idempotency_key'), name='voucherredemption_idempotency_unique', violation_error_message='This request was answered already.')],
            },
        ),
    ]
