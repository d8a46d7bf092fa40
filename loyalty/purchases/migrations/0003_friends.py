import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0001_initial'),
        ('purchases', '0002_events_and_budgets'),
    ]

    operations = [
        migrations.AddField(
            model_name='activity',
            name='friend',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programs.membership', verbose_name='friend'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('friend__isnull', False), ('status', 'waiting')), fields=['program', 'friend'], name='purchases_activity_friends'),
        ),
    ]
